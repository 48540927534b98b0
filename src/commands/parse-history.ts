import { parseDuration } from "../policy/duration.ts";
import { isRevisionIdPrefix } from "../policy/revision.ts";
import { parsePlaceReference } from "../policy/target.ts";
import type { Command } from "./command.ts";
import { type Usage, usage } from "./parse-answers.ts";
import { parsePolicy } from "./parse-policy.ts";

/** `history [place or policy] [since 2h]`, in either order. */
export function parseHistory(words: readonly string[]): Command | Usage {
  const at = words.indexOf("since");
  const sinceMs = at < 0 ? undefined : parseDuration(words[at + 1] ?? "");
  if (at >= 0 && sinceMs === undefined) return usage("since needs a time such as 2h or 30m.", "history");
  const [where, ...more] = at < 0 ? words : words.toSpliced(at, 2);
  if (more.length > 0) return usage(`"${more.join(" ").slice(0, 80)}" is more than history takes.`, "history");
  if (where === undefined)
    return { kind: "history", cluster: undefined, namespace: undefined, policy: undefined, sinceMs };
  const place = parsePlaceReference(where);
  if (place !== undefined) return { kind: "history", ...place, policy: undefined, sinceMs };
  const policy = parsePolicy(where);
  if (policy !== undefined) {
    const { cluster, namespace, of, name } = policy;
    return { kind: "history", cluster, namespace, policy: { of, name }, sinceMs };
  }
  return usage(
    `"${where.slice(0, 80)}" is neither a namespace nor namespace/policy (or /policy, of the whole cluster).`,
    "history",
  );
}

/** `diff v-1a2b3c4`, or the beginning of the id. */
export function parseDiff([revision, ...more]: readonly string[]): Command | Usage {
  if (revision === undefined) return usage("Which change? Its id begins with v-; /np history lists them.", "diff");
  if (more.length > 0) return usage(`"${more.join(" ").slice(0, 80)}" is more than diff takes.`, "diff");
  if (isRevisionIdPrefix(revision)) return { kind: "diff", revision };
  return usage(`"${revision.slice(0, 80)}" is not the id of a change (v-…).`, "diff");
}
