import type { OpenConnections } from "./engine.ts";
import { countWords, isOver, type Observed, observedLine } from "./observed.ts";
import { type OpenPod, openConnectionsLine, openConnectionsSteps } from "./open-connections.ts";
import type { Enforcement, ResidualAllow } from "./plan.ts";

/** What the engine says of its own objects; `words` name it: `realised by Antrea`, `this engine has no status`. */
export type Realised = {
  readonly state: "realised" | "no-status" | "not-in-time" | "failed";
  readonly words: string;
};

/** What is known once the writes are done. */
export type Findings = {
  /** Undefined where everything reads back as planned, else what does not. */
  readonly mismatch: string | undefined;
  /** Most important first. */
  readonly residual: readonly ResidualAllow[];
  /** Of the engine that denies. */
  readonly enforcement: Enforcement;
  /** Policies, or kinds of them, that may bear on the pod and could not be read, by name. */
  readonly unread: readonly string[];
  readonly realised: Realised;
  readonly openConnections: OpenConnections;
  /** What enforces, for people; undefined: not known. */
  readonly plugin: string | undefined;
  readonly pod: OpenPod;
  /** What flows have shown since; undefined: nobody has looked yet. */
  readonly observed?: Observed | undefined;
};

export type Verdict = {
  readonly state: "isolated" | "not-isolated" | "unknown";
  /** At most 150 characters. */
  readonly headline: string;
  readonly residual: readonly ResidualAllow[];
  /** What open connections do, then what is simulated, realised and observed: a sentence each. */
  readonly lines: readonly string[];
  /** What can be done about open connections, a sentence each with the command at its end. */
  readonly steps: readonly string[];
};

/**
 * The headline of a containment. It never claims more than is proved (invariant 5): isolated needs an engine that is
 * known to enforce, nothing that stays open even perhaps, nothing unread, and everything read back as planned.
 */
export function verdict(findings: Findings): Verdict {
  const { residual, openConnections, plugin, pod } = findings;
  const { state, headline } = claim(findings);
  return {
    state,
    headline: cut(headline),
    residual,
    lines: [
      openConnectionsLine(openConnections, plugin),
      `Simulated: ${simulated(findings)}.`,
      `Realised: ${realisedWords[findings.realised.state]}, ${findings.realised.words}.`,
      observedLine(findings.observed),
    ],
    steps: openConnectionsSteps(openConnections, pod),
  };
}

/**
 * What flows claim of a containment that is in force, of at most 150 characters; undefined where they say nothing against
 * it. What got through before `heldSinceMs`, when something was put back, is told by what was put back.
 */
export function observedHeadline(observed: Observed | undefined, heldSinceMs: number): string | undefined {
  const claimed =
    observed?.leak !== undefined && observed.leak.lastAt > heldSinceMs ? observedClaim(observed) : undefined;
  return claimed && cut(claimed.headline);
}

/** The one that claims least; the first of equal ones. */
export function leastOf(headlines: readonly (string | undefined)[]): string | undefined {
  const [least] = headlines.filter((one) => one !== undefined).toSorted((a, b) => rankOf(a) - rankOf(b));
  return least;
}

function rankOf(headline: string): number {
  if (headline.startsWith("NOT ISOLATED")) return 0;
  return headline.startsWith("UNKNOWN") ? 1 : 2;
}

const realisedWords: Record<Realised["state"], string> = {
  realised: "yes",
  "no-status": "not known",
  "not-in-time": "not yet",
  failed: "no",
};

type Claim = Pick<Verdict, "state" | "headline">;

/** Proofs that it is not come before doubts whether it is. */
function claim(findings: Findings): Claim {
  const observed = observedClaim(findings.observed);
  if (observed?.state === "not-isolated") return observed;
  const refuted = refutation(findings);
  if (refuted !== undefined) return { state: "not-isolated", headline: `NOT ISOLATED: ${refuted}` };
  const doubted = doubt(findings);
  if (doubted !== undefined) return { state: "unknown", headline: `UNKNOWN: ${doubted}` };
  if (observed !== undefined) return observed;
  return { state: "isolated", headline: "ISOLATED FOR NEW CONNECTIONS" };
}

/** Nothing that is only silent speaks for or against it, and what was denied is no proof that all is. */
function observedClaim(observed: Observed | undefined): Claim | undefined {
  const leak = observed?.leak;
  if (observed === undefined || leak === undefined) return undefined;
  const [first = "traffic"] = leak.evidence;
  const at = `${new Date(leak.lastAt).toISOString().slice(11, 19)} UTC`;
  if (!leak.sure) {
    return {
      state: "unknown",
      headline: `UNKNOWN: ${first} got through, perhaps on a connection that was open before`,
    };
  }
  if (isOver(observed)) {
    return {
      state: "unknown",
      headline: `UNKNOWN: ${countWords(leak)} got through until ${at}, and it was denied since`,
    };
  }
  const more = leak.count === 1 && !leak.atLeast ? "" : `, ${countWords(leak)}`;
  return { state: "not-isolated", headline: `NOT ISOLATED: ${first} got through${more}, last at ${at}` };
}

function refutation({ mismatch, enforcement, residual, realised }: Findings): string | undefined {
  if (mismatch !== undefined) return mismatch;
  if (enforcement === "not-enforced") return "this cluster is known not to enforce NetworkPolicy";
  const [first, ...more] = residual.filter(isSure);
  if (first !== undefined) return `${claimOf(first)}${andMore(more.length)}`;
  return realised.state === "failed" ? realised.words : undefined;
}

function doubt({ enforcement, residual, realised, unread }: Findings): string | undefined {
  if (enforcement === "unknown") return "this cluster's CNI is not known to enforce NetworkPolicy";
  if (realised.state === "not-in-time") return realised.words;
  const [first, ...others] = unread;
  if (first !== undefined) {
    return `${first}${others.length === 0 ? "" : ` and ${others.length} more`} could not be read`;
  }
  const [perhaps, ...more] = residual;
  return perhaps && `${claimOf(perhaps)}${andMore(more.length)}`;
}

/** Those of early records were all sure, and say no more than which policy it is. */
function isSure({ sure }: ResidualAllow): boolean {
  return sure !== false;
}

function claimOf({ policy, claim: said }: ResidualAllow): string {
  return said ?? `policy ${policy} still lets traffic through`;
}

function andMore(policies: number): string {
  if (policies === 0) return "";
  return policies === 1 ? ", and 1 more policy" : `, and ${policies} more policies`;
}

function simulated({ residual, unread }: Findings): string {
  const [sure, perhaps] = [residual.filter(isSure).length, residual.filter((each) => !isSure(each)).length];
  const parts = [
    ...(sure === 0 ? [] : [`${count(sure)} still ${sure === 1 ? "lets" : "let"} traffic through`]),
    ...(perhaps === 0 ? [] : [`of ${count(perhaps)} that is not decided`]),
    ...(unread.length === 0 ? [] : [`not read were ${unread.join(", ")}`]),
  ];
  return parts.length === 0 ? "nothing connects but the configured endpoints and its own node" : parts.join("; ");
}

function count(policies: number): string {
  return policies === 1 ? "1 policy" : `${policies} policies`;
}

/** Slack's header holds no more. */
const longest = 150;

function cut(text: string): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
