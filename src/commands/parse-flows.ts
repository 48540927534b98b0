import { isMuteId } from "../flows/mutes.ts";
import { formatDuration, parseDuration } from "../policy/duration.ts";
import { isOperationIdPrefix } from "../policy/operation.ts";
import { parsePlaceReference, parsePodReference } from "../policy/target.ts";
import type { Command } from "./command.ts";
import { isFlowLineId } from "./flow-line-id.ts";
import { type Usage, usage } from "./parse-answers.ts";
import { parseUnwatch, parseWatch } from "./parse-flow-watch.ts";

type Flows = Extract<Command, { kind: "flows" }>;

const shortestMs = 5 * 60_000;
const longestMs = 48 * 3_600_000;
const longestMuteMs = 7 * 86_400_000;

/** How long a mute holds where nobody says, milliseconds. */
const muteMs = 8 * 3_600_000;

/** `flows [ns | ns/workload | operation] [since 15m]`, `flows muted`, and what buttons stand for: `flows mute f-… [for 8h]`. */
export function parseFlows(words: readonly string[]): Flows | Usage {
  const [first = "", second = "", ...rest] = words;
  if (isFlowLineId(second) && Object.hasOwn(lineActs, first)) return lineActs[first as LineAct](second, rest);
  if (first === "unmute") return unmute(second, rest);
  if (first === "watch") return parseWatch(words.slice(1), placeNamed);
  if (first === "unwatch") return parseUnwatch(words.slice(1), placeNamed);
  const since = takeSince(words);
  if (since.kind === "usage") return since;
  const [where, ...more] = since.words;
  if (more.length > 0) return tooMuch(more);
  return where === undefined ? denied({ ...anywhere, sinceMs: since.sinceMs }) : place(where, since.sinceMs);
}

/** What is denied anywhere where nothing is named. */
function placeNamed(where: string | undefined): Flows | Usage {
  return where === undefined ? denied({ ...anywhere, sinceMs: undefined }) : place(where, undefined);
}

type Since = { readonly kind: "since"; readonly sinceMs: number | undefined; readonly words: readonly string[] };

function takeSince(words: readonly string[]): Since | Usage {
  const at = words.indexOf("since");
  if (at < 0) return { kind: "since", sinceMs: undefined, words };
  const sinceMs = parseDuration(words[at + 1] ?? "");
  if (sinceMs === undefined) return usage("since needs a time such as 15m or 2h.", "flows");
  if (sinceMs < shortestMs || sinceMs > longestMs) {
    return usage(`since takes ${formatDuration(shortestMs)} to ${formatDuration(longestMs)}.`, "flows");
  }
  return { kind: "since", sinceMs, words: words.toSpliced(at, 2) };
}

const anywhere = { cluster: undefined, namespace: undefined } as const;

type LineAct = "explain" | "allow" | "mute";

const lineActs: Readonly<Record<LineAct, (line: string, rest: readonly string[]) => Flows | Usage>> = {
  explain: (line, rest) => ofLine("explain", line, rest),
  allow: (line, rest) => ofLine("allow", line, rest),
  mute: muteLine,
};

function ofLine(act: "explain" | "allow", line: string, rest: readonly string[]): Flows | Usage {
  if (rest.length > 0) return tooMuch(rest);
  return { kind: "flows", ...anywhere, sinceMs: undefined, what: { kind: act, line } };
}

function muteLine(line: string, [word, time = "", ...more]: readonly string[]): Flows | Usage {
  const forMs = word === undefined ? muteMs : word === "for" ? parseDuration(time) : undefined;
  if (forMs === undefined || forMs > longestMuteMs) return usage("for needs a time up to 7d, such as 8h.", "flows");
  if (more.length > 0) return tooMuch(more);
  return { kind: "flows", ...anywhere, sinceMs: undefined, what: { kind: "mute", line, forMs } };
}

function unmute(mute: string, rest: readonly string[]): Flows | Usage {
  if (rest.length > 0) return tooMuch(rest);
  if (!isMuteId(mute)) return usage("Which one? /np flows muted lists them by their ids (m-…).", "flows");
  return { kind: "flows", ...anywhere, sinceMs: undefined, what: { kind: "unmute", mute } };
}

function place(where: string, sinceMs: number | undefined): Flows | Usage {
  if (where === "muted") return { kind: "flows", ...anywhere, sinceMs, what: { kind: "muted" } };
  if (where === "watched") return { kind: "flows", ...anywhere, sinceMs, what: { kind: "watched" } };
  if (isOperationIdPrefix(where)) {
    return { kind: "flows", ...anywhere, sinceMs, what: { kind: "operation", operation: where } };
  }
  const namespace = parsePlaceReference(where);
  if (namespace !== undefined) return denied({ ...namespace, sinceMs });
  return (
    workload(where, sinceMs) ??
    usage(`"${where.slice(0, 80)}" is no namespace, no namespace/workload and no operation's id.`, "flows")
  );
}

/** `payments/checkout`, `payments/deploy/checkout`, `payments/checkout-7d9f`, each also after a cluster. */
function workload(where: string, sinceMs: number | undefined): Flows | undefined {
  const [, before = "", of, name] = /^([^/]*)\/([a-z]+)\/([^/]+)$/i.exec(where) ?? [];
  const named = parsePodReference(of === undefined ? where : `${before}/${name}`);
  if (named === undefined) return undefined;
  const { cluster, namespace, pod } = named;
  return denied({ cluster, namespace, sinceMs }, { of: of?.toLowerCase(), name: pod });
}

function denied(
  asked: Pick<Flows, "cluster" | "namespace" | "sinceMs">,
  of?: Extract<Flows["what"], { kind: "denied" }>["workload"],
): Flows {
  return { kind: "flows", ...asked, what: { kind: "denied", workload: of } };
}

function tooMuch(words: readonly string[]): Usage {
  return usage(`"${words.join(" ").slice(0, 80)}" is more than flows takes.`, "flows");
}
