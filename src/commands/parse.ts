import { parseDuration } from "../policy/duration.ts";
import { isIncidentId } from "../policy/incident.ts";
import { isOperationIdPrefix } from "../policy/operation.ts";
import type { KeepChoice } from "../policy/plan.ts";
import { didYouMean } from "../policy/suggest.ts";
import { isClusterName, parsePlaceReference } from "../policy/target.ts";
import type { Command, CommandName } from "./command.ts";
import { isCommandName, manuals } from "./manuals.ts";
import { parseAllow, parseEnd, parseExtend } from "./parse-allow.ts";
import { notAPlace, reasonLimit, tooLong, type Usage, usage } from "./parse-answers.ts";
import { parseReview, parseVote } from "./parse-approval.ts";
import { parseLockdown, parseQuarantine } from "./parse-containing.ts";
import { parseExplain } from "./parse-explain.ts";
import { takeFlags } from "./parse-flags.ts";
import { parseFlows } from "./parse-flows.ts";
import { parseDiff, parseHistory } from "./parse-history.ts";
import { notAnId, parseIncident, takeIncident } from "./parse-incident.ts";
import { parseRollback } from "./parse-rollback.ts";
import { parseNamespace, shownWords, takeTarget } from "./parse-target.ts";
import { normalise, wordsOf } from "./words.ts";

/**
 * Text of a command into a command or a usage answer; there is no third outcome, whatever the text. `others` are commands
 * that are read elsewhere: a misspelt one is suggested too.
 */
export function parse(text: string, others: readonly string[] = []): Command | Usage {
  const [verb = "help", ...words] = wordsOf(normalise(text));
  const name = verb.toLowerCase();
  if (!isCommandName(name)) {
    const hint = didYouMean(name.slice(0, 40), [...Object.keys(manuals), ...others]);
    return usage(`There is no command "${name.slice(0, 40)}".${hint}`, undefined);
  }
  return parsers[name](words);
}

type Parser = (words: readonly string[]) => Command | Usage;

const parsers: Record<CommandName, Parser> = {
  quarantine: parseQuarantine,
  lockdown: parseLockdown,
  release: parseRelease,
  allow: parseAllow,
  extend: parseExtend,
  approve: (words) => parseVote("approve", words),
  deny: (words) => parseVote("deny", words),
  review: parseReview,
  end: parseEnd,
  status: (words) => parsePlace("status", words),
  drift: (words) => parsePlace("drift", words),
  rollback: parseRollback,
  explain: parseExplain,
  audit: parseAudit,
  history: parseHistory,
  flows: parseFlows,
  diff: parseDiff,
  "verify-enforcement": parseVerify,
  incident: parseIncident,
  whoami: (words) => (words.length === 0 ? { kind: "whoami" } : tooMuch("whoami", words)),
  help: parseHelp,
};

function parseRelease(all: readonly string[]): Command | Usage {
  const keep = takeKeep(all);
  if (keep.kind === "usage") return keep;
  const named = takeIncident(keep.words, "release");
  if (named.kind === "usage") return named;
  const flags = takeFlags(named.words, ["--dry-run", "--delete-pod", "--incident"]);
  if (flags.kind === "usage") return { ...flags, topic: "release" };
  const [where] = flags.words;
  if (where === undefined) return usage("Which quarantine?", "release");
  const { what, rest } = takeReleased(flags.words);
  if (what === undefined) {
    return usage(
      `"${shownWords(flags.words)}" is neither an operation (q-…) nor namespace/pod nor cluster:namespace/pod, nor a workload or a namespace.`,
      "release",
    );
  }
  const reason = rest.join(" ");
  if (reason.length > reasonLimit) return tooLong("release");
  const deletePod = flags.set.has("--delete-pod");
  if (deletePod && keep.keep !== "any") return usage("--keep and --delete-pod exclude each other.", "release");
  const { incident } = named;
  const dryRun = flags.set.has("--dry-run");
  return { kind: "release", what, deletePod, keep: keep.keep, dryRun, incident, reason };
}

type Released = Extract<Command, { kind: "release" }>["what"];

/** An operation, a pod or a workload, or a namespace, in this order. */
function takeReleased(words: readonly string[]): {
  readonly what: Released | undefined;
  readonly rest: readonly string[];
} {
  const [where = "", ...rest] = words;
  if (isOperationIdPrefix(where)) return { what: { operation: where }, rest };
  const { target, rest: after } = takeTarget(words);
  // A mistyped id; a namespace of such a name is typed with its cluster.
  if (target === undefined && /^[alqr]-/.test(where)) return { what: undefined, rest };
  return target === undefined ? { what: parseNamespace(where), rest } : { what: target, rest: after };
}

function parsePlace(kind: "status" | "drift", [where, ...rest]: readonly string[]): Command | Usage {
  if (rest.length > 0) return tooMuch(kind, rest);
  const place = where === undefined ? anywhere : parsePlaceReference(where);
  return place === undefined ? usage(notAPlace(where ?? ""), kind) : { kind, ...place };
}

function parseVerify([where, ...rest]: readonly string[]): Command | Usage {
  const topic = "verify-enforcement";
  if (rest.length > 0) return tooMuch(topic, rest);
  const cluster = where?.replace(/:$/, "");
  if (cluster === undefined || isClusterName(cluster)) return { kind: topic, cluster };
  return usage(`"${cluster.slice(0, 80)}" is no cluster's name; it is about a whole cluster.`, topic);
}

const anywhere = { cluster: undefined, namespace: undefined };

function parseAudit(words: readonly string[]): Command | Usage {
  const given = pairsOf(words);
  if (given.kind === "usage") return given;
  const { since = "24h", by, incident, place: where } = given.pairs;
  const sinceMs = parseDuration(since);
  if (sinceMs === undefined) return usage("since needs a time such as 24h or 30m.", "audit");
  const actor = by === undefined ? undefined : principalOf(by);
  if (by !== undefined && actor === undefined) return usage("by needs a @user.", "audit");
  if (incident !== undefined && !isIncidentId(incident)) return usage(notAnId(incident), "audit");
  const place = where === undefined ? anywhere : parsePlaceReference(where);
  if (place === undefined) return usage(notAPlace(where ?? ""), "audit");
  return { kind: "audit", sinceMs, ...place, by: actor, incident };
}

type AuditPairs = { since?: string; by?: string; incident?: string; place?: string };

/** `since`, `by` and `incident` with the word after each; any other word is the place. Each at most once. */
function pairsOf(words: readonly string[]): Usage | { readonly kind: "pairs"; readonly pairs: AuditPairs } {
  const pairs: AuditPairs = {};
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const key = word === "since" || word === "by" || word === "incident" ? word : "place";
    if (pairs[key] !== undefined) {
      return usage(
        `"${words.slice(i).join(" ").slice(0, 80)}" is more than one ${key === "place" ? "namespace" : key}.`,
        "audit",
      );
    }
    pairs[key] = key === "place" ? word : (words[++i] ?? "");
  }
  return { kind: "pairs", pairs };
}

function parseHelp([topic, ...rest]: readonly string[]): Command | Usage {
  if (rest.length > 0) return tooMuch("help", rest);
  if (topic === undefined) return { kind: "help", topic };
  const name = topic.toLowerCase();
  if (isCommandName(name)) return { kind: "help", topic: name };
  return usage(
    `There is no command "${name.slice(0, 40)}".${didYouMean(name.slice(0, 40), Object.keys(manuals))}`,
    undefined,
  );
}

/** `<@U123|jane>`, `@U123`, `U123`, or a principal's key such as `terminal:jane`. */
function principalOf(word: string): string | undefined {
  const mention = /^<@([UW][A-Z0-9]+)(\|[^>]*)?>$/.exec(word) ?? /^@?([UW][A-Z0-9]{2,})$/.exec(word);
  if (mention !== null) return mention[1];
  return /^(terminal:.+|slack:.+|in-pod|scheduler)$/.test(word) ? word : undefined;
}

function takeKeep(
  words: readonly string[],
): Usage | { readonly kind: "keep"; readonly words: readonly string[]; readonly keep: KeepChoice } {
  const at = words.indexOf("--keep");
  if (at < 0) return { kind: "keep", words, keep: "any" };
  const keep = words[at + 1];
  if (keep !== "this" && keep !== "replacement") return usage("--keep needs this or replacement.", "release");
  const others = words.toSpliced(at, 2);
  if (others.includes("--keep")) return usage("--keep is given twice.", "release");
  return { kind: "keep", words: others, keep };
}

function tooMuch(topic: CommandName, words: readonly string[]): Usage {
  return usage(`"${words.join(" ").slice(0, 80)}" is more than ${topic} takes.`, topic);
}
