import type { End, Opening } from "../policy/openings.ts";
import { families, formatAddress, parseCidr, subtractAddresses, uniteAddresses } from "../simulator/addresses.ts";
import type { Simulator } from "../simulator/compile.ts";
import type { Endpoint, Verdict } from "../simulator/decide.ts";
import type { Protocol } from "../simulator/model.ts";
import { membersOf } from "./allow-contained.ts";
import { decidePairs, type PairAnswer } from "./explain-pairs.ts";
import { type Member, memberOf, type Side } from "./explain-sides.ts";
import { reasonLines } from "./explain-words.ts";

/** An end for people. */
export function endWords(end: End): string {
  switch (end.kind) {
    case "pods":
    case "peer":
      return end.name;
    case "block":
      return end.except.length === 0 ? end.cidr : `${end.cidr} without ${end.except.join(", ")}`;
    case "anything":
      return "anything";
  }
}

/** What keeps openings from being open, and what makes it uncertain whether they are: sentences with the policies' names. */
export type Blocked = { readonly denied: readonly string[]; readonly undecided: readonly string[] };

/**
 * Both are empty where each opening is surely open for each pair of pods that is there. An end outside is asked by an
 * address of each family, a range of ports by its ends, all ports by one of them.
 */
export function stillBlocked(simulator: Simulator, openings: readonly Opening[]): Blocked {
  const found = openings.flatMap((opening) => asked(opening).flatMap((port) => blockedOn(simulator, opening, port)));
  const saying = (verdict: Verdict) => [...new Set(found.flatMap((one) => (one.verdict === verdict ? [one.why] : [])))];
  return { denied: saying("denied"), undecided: saying("undecided") };
}

type Found = { readonly verdict: Verdict; readonly why: string };

type Asked = { readonly protocol: Protocol; readonly port: number };

/** Of a range its first and its last. */
function asked({ ports }: Opening): readonly Asked[] {
  if (ports === undefined) return [{ protocol: "TCP", port: 443 }];
  return ports.flatMap(({ protocol = "TCP", port, endPort }) =>
    [port, endPort].flatMap((one) => (typeof one === "number" ? [{ protocol, port: one }] : [])),
  );
}

function blockedOn(simulator: Simulator, { from, to }: Opening, { protocol, port }: Asked): readonly Found[] {
  const sides = { from: sideAt(simulator, from, port), to: sideAt(simulator, to, port), protocol };
  if (sides.from.members.length === 0 || sides.to.members.length === 0) return [];
  return decidePairs(simulator, sides)
    .answers.filter(({ answer }) => answer.verdict !== "allowed")
    .map((pair) => ({
      verdict: pair.answer.verdict,
      why: whyBlocked(pair, { from, to }, { protocol, port }),
    }));
}

function sideAt({ snapshot }: Simulator, end: End, port: number): Side {
  const label = endWords(end);
  const pods = membersOf(end, snapshot.pods).map((pod) => memberOf(pod, port));
  const members = end.kind === "block" ? outside(end, port) : end.kind === "anything" ? somewhere(port) : pods;
  return { label, members, words: label };
}

/** An address of a block that is set aside for documentation (RFC 5737), and so is nobody's. */
function somewhere(port: number): readonly Member[] {
  return [{ name: "anything", endpoint: { kind: "external", address: "192.0.2.1" }, port }];
}

/** One address of each family that the block has. */
function outside({ cidr, except }: Extract<End, { kind: "block" }>, port: number): readonly Member[] {
  const whole = parseCidr(cidr);
  if (whole === undefined) return [];
  const left = subtractAddresses(whole, uniteAddresses(except.flatMap((hole) => parseCidr(hole) ?? [])));
  return families.flatMap((family) => {
    const [first] = left[family];
    if (first === undefined) return [];
    const address = formatAddress(family, first.first);
    const endpoint: Endpoint = { kind: "external", address };
    return [{ name: address, endpoint, port }];
  });
}

function whyBlocked(
  { answer }: PairAnswer,
  { from, to }: Pick<Opening, "from" | "to">,
  { protocol, port }: Asked,
): string {
  const [direction, where] =
    answer.egress.verdict === "allowed"
      ? ([answer.ingress, `into ${endWords(to)}`] as const)
      : ([answer.egress, `out of ${endWords(from)}`] as const);
  const why = reasonLines(direction).join(" ");
  return `${where} on ${protocol} ${port} it is ${direction.verdict}. ${why}`;
}
