import { parseDuration } from "../policy/duration.ts";
import { isOperationIdPrefix } from "../policy/operation.ts";
import { isRevisionIdPrefix } from "../policy/revision.ts";
import { parsePlaceReference } from "../policy/target.ts";
import type { UndoWay } from "../policy/undo-plan.ts";
import type { Command, RolledBack } from "./command.ts";
import { reasonLimit, tooLong, type Usage, usage } from "./parse-answers.ts";
import { takeFlags } from "./parse-flags.ts";
import { takeIncident } from "./parse-incident.ts";
import { parsePolicy } from "./parse-policy.ts";

const topic = "rollback";
const known = ["--dry-run", "--later-too", "--merge", "--override", "--break-glass"];
const valued = ["--incident", "--since", "--confirm"];

/** `rollback [what] [options] [reason]`. `--incident` beside one change says where it belongs; else it says what to undo. */
export function parseRollback(all: readonly string[]): Command | Usage {
  const named = takeIncident(all, topic);
  if (named.kind === "usage") return named;
  const since = takeSince(named.words);
  if (since.kind === "usage") return since;
  const confirmed = takeConfirm(since.words);
  if (confirmed.kind === "usage") return confirmed;
  const flags = takeFlags(confirmed.words, [...known, ...valued]);
  if (flags.kind === "usage") return { ...flags, topic };
  const { incident } = named;
  const read = whatOf(flags.words, since.sinceMs, incident);
  if (read.kind === "usage") return read;
  const way = wayOf(flags.set);
  if (way === undefined) return usage("--later-too and --merge exclude each other.", topic);
  const reason = read.rest.join(" ");
  if (reason.length > reasonLimit) return tooLong(topic);
  const breakGlass = flags.set.has("--break-glass");
  const choices = { confirm: confirmed.name, override: flags.set.has("--override") };
  const dryRun = flags.set.has("--dry-run");
  if (dryRun && read.what.kind === "operation" && read.what.operation.startsWith("a-")) {
    return usage(
      "What an allowance's rollback does is done at once: it shortens or ends it. --dry-run is not for it.",
      topic,
    );
  }
  return { kind: "rollback", what: read.what, way, choices, breakGlass, dryRun, incident, reason };
}

function wayOf(flags: ReadonlySet<string>): UndoWay | undefined {
  if (flags.has("--later-too")) return flags.has("--merge") ? undefined : "later-too";
  return flags.has("--merge") ? "merge" : "alone";
}

type Read = { readonly kind: "read"; readonly what: RolledBack; readonly rest: readonly string[] };

/** What the first word names; without one, or with a place alone: the last change there, or all of a time or an incident. */
function whatOf(words: readonly string[], sinceMs: number | undefined, incident: string | undefined): Read | Usage {
  const [where = "", ...rest] = words;
  if (isRevisionIdPrefix(where) || isOperationIdPrefix(where)) {
    const what = isRevisionIdPrefix(where)
      ? ({ kind: "revision", revision: where } as const)
      : ({ kind: "operation", operation: where } as const);
    return single({ kind: "read", what, rest }, sinceMs);
  }
  const policy = parsePolicy(where);
  if (policy !== undefined) return single({ kind: "read", what: { kind: "policy", ...policy }, rest }, sinceMs);
  const place = where === "" ? { cluster: undefined, namespace: undefined } : parsePlaceReference(where);
  // A mistyped id; a namespace of such a name is typed with its cluster.
  if (place === undefined || /^[alqruv]-/.test(where)) return usage(notAnything(where), topic);
  if (sinceMs !== undefined) return { kind: "read", what: { kind: "since", sinceMs, ...place }, rest };
  if (incident !== undefined) return { kind: "read", what: { kind: "incident", incident, ...place }, rest };
  return { kind: "read", what: { kind: "last", ...place }, rest };
}

function single(read: Read, sinceMs: number | undefined): Read | Usage {
  return sinceMs === undefined ? read : usage("--since is for all changes of a time, not for one of them.", topic);
}

function notAnything(word: string): string {
  return `"${word.slice(0, 80)}" is neither a revision (v-…), an operation (u-…), namespace/policy nor a namespace.`;
}

type Since = { readonly kind: "since"; readonly words: readonly string[]; readonly sinceMs: number | undefined };

/** `--since 15m` wherever it stands, or `since 15m` first or after the first word. */
function takeSince(words: readonly string[]): Since | Usage {
  const flag = words.indexOf("--since");
  const at = flag >= 0 ? flag : words.slice(0, 2).indexOf("since");
  if (at < 0) return { kind: "since", words, sinceMs: undefined };
  const sinceMs = parseDuration(words[at + 1] ?? "");
  if (sinceMs === undefined) return usage("since needs a time such as 15m or 2h.", topic);
  const rest = words.toSpliced(at, 2);
  return rest.includes("--since") ? usage("--since is given twice.", topic) : { kind: "since", words: rest, sinceMs };
}

type Confirmed = { readonly kind: "confirmed"; readonly words: readonly string[]; readonly name: string | undefined };

function takeConfirm(words: readonly string[]): Confirmed | Usage {
  const at = words.indexOf("--confirm");
  if (at < 0) return { kind: "confirmed", words, name: undefined };
  const name = words[at + 1] ?? "";
  if (name === "" || name.startsWith("--")) return usage("--confirm needs a name.", topic);
  const rest = words.toSpliced(at, 2);
  return rest.includes("--confirm")
    ? usage("--confirm is given twice.", topic)
    : { kind: "confirmed", words: rest, name };
}
