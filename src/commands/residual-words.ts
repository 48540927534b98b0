import type { ResidualAllow } from "../policy/plan.ts";
import type { Simulator } from "../simulator/compile.ts";
import { type Leak, leaks } from "../simulator/leaks.ts";
import type { PolicyReference, WireObject } from "../simulator/model.ts";
import { type PortSet, samePorts } from "../simulator/ports.ts";
import type { SimulatedPod } from "../simulator/snapshot.ts";
import { unreadableReason } from "../simulator/translate.ts";
import { compare, portWords } from "./connection-rows.ts";
import { policyName } from "./explain-words.ts";
import { endsInWords } from "./leak-ends.ts";
import { oneLine } from "./markdown.ts";

/**
 * What stays open of a containment, by the policy that leaves it open, most important first: `actual` is the cluster with
 * `ours` in force (our NetworkPolicy, and what a stronger engine has beside it), `subjects` are its pods that are contained.
 */
export function residualOf(
  actual: Simulator,
  subjects: readonly SimulatedPod[],
  ours: readonly WireObject[],
): readonly ResidualAllow[] {
  const ranked = leaks(actual, subjects, ours).toSorted(compareLeaks);
  const byPolicy = Map.groupBy(ranked, ({ policy }) => (policy === undefined ? "" : policyName(policy)));
  return [...byPolicy.values()].map((of) => residualAllow(of, actual));
}

/** What is sure before what is not, what could not be read before other doubts, the world outside before the cluster, ways out before ways in, more before less. */
function compareLeaks(a: Leak, b: Leak): number {
  const order = [
    Number(b.sure) - Number(a.sure),
    unread(b) - unread(a),
    kinds[a.end.kind] - kinds[b.end.kind],
    rank(a) - rank(b),
  ];
  const others = sizeOf(b) - sizeOf(a);
  return [...order, others, ports(b) - ports(a)].find((each) => each !== 0) ?? compare(nameOf(a), nameOf(b));
}

function unread({ maybe }: Leak): number {
  return Number(maybe === unreadableReason);
}

const kinds: Record<Leak["end"]["kind"], number> = {
  range: 0,
  pods: 1,
  nodes: 2,
  "absent pods": 3,
  "absent nodes": 4,
};

function rank({ direction }: Leak): number {
  return direction === "egress" ? 0 : 1;
}

function sizeOf({ end }: Leak): number {
  return end.kind === "pods" || end.kind === "nodes" ? end.pods.length : 0;
}

function ports({ lets: set }: Leak): number {
  return set.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

function nameOf({ policy, rule }: Leak): string {
  return `${policy === undefined ? "" : policyName(policy)} ${rule}`;
}

/** Of one policy's leaks, ranked. */
function residualAllow(of: readonly Leak[], actual: Simulator): ResidualAllow {
  const [first] = of;
  if (first === undefined) throw new Error("a group is never empty");
  const parts = together(of);
  const words = parts.map((part) => partInWords(part, actual));
  return {
    policy: first.policy === undefined ? "no policy" : shortName(first.policy),
    allows: few(words, mostParts).join("; "),
    sure: first.sure,
    claim: claimOf(first, parts[0] ?? of, actual),
  };
}

const mostParts = 6;

/** Leaks of the same direction, ports and certainty: only the other ends differ. */
function together(of: readonly Leak[]): readonly (readonly Leak[])[] {
  const parts: Leak[][] = [];
  for (const leak of of) {
    const part = parts.find(([one]) => one !== undefined && isAlike(one, leak));
    if (part === undefined) parts.push([leak]);
    else part.push(leak);
  }
  return parts;
}

function isAlike(a: Leak, b: Leak): boolean {
  return a.direction === b.direction && a.sure === b.sure && samePorts(a.lets, b.lets);
}

/** `in from monitoring/prometheus on TCP 9090`. */
function partInWords(part: readonly Leak[], actual: Simulator): string {
  const [first] = part;
  if (first === undefined) return "";
  const way = first.direction === "ingress" ? "in from" : "out to";
  const who = few(endsInWords(part, actual), mostNames).join(", ");
  const words = `${way} ${who} on ${portsOf(first.lets)}`;
  return first.sure ? words : `perhaps ${words} (${oneLine(first.maybe ?? "not decided")})`;
}

const mostNames = 5;

function few(words: readonly string[], most: number): readonly string[] {
  const left = words.length - most;
  return left <= 1 ? words : [...words.slice(0, most), `and ${left} more`];
}

/** As long as a headline has room for: names give way first. */
function claimOf(leak: Leak, part: readonly Leak[], actual: Simulator): string {
  const widths = [60, 40, 30, 20];
  const claims = widths.map((width) => claimWithin(leak, endsInWords(part, actual), width));
  const most = leak.sure ? mostOfHeadline.sure : mostOfHeadline.perhaps;
  return claims.find(({ length }) => length <= most) ?? claims.at(-1) ?? "";
}

/** Slack's 150, without `NOT ISOLATED: ` or `UNKNOWN: ` before it and `, and 12 more policies` after it. */
const mostOfHeadline = { sure: 113, perhaps: 118 };

function claimWithin({ policy, direction, sure, maybe, lets: set }: Leak, ends: readonly string[], width: number) {
  const name = policy === undefined ? undefined : cut(named(policy), width);
  if (maybe === unreadableReason && name !== undefined) return `${name} could not be read`;
  const [who = "others", ...more] = ends;
  const whom = `${cut(who, width)}${more.length === 0 ? "" : ` and ${more.length} more`}`;
  const on = cut(headlinePorts(set), 24);
  if (name === undefined)
    return `nothing denies ${direction === "ingress" ? `${whom} the way in` : `it the way out to ${whom}`} ${on}`;
  const lets = `${name} still lets ${direction === "ingress" ? `${whom} in` : `it out to ${whom}`} ${on}`;
  return sure ? lets : `whether ${lets} is not decided`;
}

/** `TCP 53 and UDP 53`: parts of a line are apart by semicolons already. */
function portsOf(set: PortSet): string {
  return portWords(set).replaceAll("; ", " and ");
}

/** `on 9090`, `on UDP 53`, `on all ports`. */
function headlinePorts(set: PortSet): string {
  const words = portsOf(set);
  return `on ${words.startsWith("TCP ") && !words.includes(" and ") ? words.slice("TCP ".length) : words}`;
}

/** A NetworkPolicy is of the pod's own namespace, so its name alone tells it. */
function shortName(policy: PolicyReference): string {
  return oneLine(policy.kind === "NetworkPolicy" ? policy.name : policyName(policy));
}

function named(policy: PolicyReference): string {
  return policy.kind === "NetworkPolicy" ? `policy ${shortName(policy)}` : shortName(policy);
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
