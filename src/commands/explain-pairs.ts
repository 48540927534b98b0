import type { Simulator } from "../simulator/compile.ts";
import { type Answer, decide } from "../simulator/decide.ts";
import type { Protocol } from "../simulator/model.ts";
import type { Member, Side } from "./explain-sides.ts";

/** One answer and the pairs that it holds for: the same verdict for the same reasons. */
export type PairAnswer = { readonly answer: Answer; readonly port: number; readonly pairs: readonly Pair[] };
export type Pair = { readonly from: string; readonly to: string };

export type Answered = {
  /** The commonest first. */
  readonly answers: readonly PairAnswer[];
  /** How many pairs of pods there are, where not all of them were asked. */
  readonly left: number;
};

/** More than this nobody reads; pods that no policy tells apart are asked once, so it takes many kinds of pods. */
const most = 4_000;

/** Every pod of one side to every pod of the other, but to itself where others are there. */
export function decidePairs(
  simulator: Simulator,
  { from, to, protocol }: { readonly from: Side; readonly to: Side; readonly protocol: Protocol },
): Answered {
  const pairs = pairsOf(from, to);
  const known = new Map<string, Answer>();
  const grouped = new Map<string, { answer: Answer; port: number; pairs: Pair[] }>();
  for (const [source, target] of pairs.slice(0, most)) {
    const key = pairKey(simulator, source, target);
    const ask = (): Answer =>
      decide(simulator, { from: source.endpoint, to: target.endpoint, protocol, port: target.port });
    const answer = known.get(key) ?? ask();
    known.set(key, answer);
    const id = `${target.port} ${JSON.stringify(answer)}`;
    const group = grouped.get(id) ?? { answer, port: target.port, pairs: [] };
    grouped.set(id, group);
    group.pairs.push({ from: source.name, to: target.name });
  }
  const answers = [...grouped.values()].toSorted((a, b) => b.pairs.length - a.pairs.length);
  return { answers, left: Math.max(0, pairs.length - most) };
}

type MemberPair = readonly [source: Member, target: Member];

function pairsOf(from: Side, to: Side): readonly MemberPair[] {
  const all = from.members.flatMap((source) => to.members.map((target): MemberPair => [source, target]));
  const others = all.filter(([source, target]) => !isSame(source, target));
  return others.length > 0 ? others : all;
}

function isSame({ endpoint: a }: Member, { endpoint: b }: Member): boolean {
  return a.kind === "pod" && b.kind === "pod" && a.pod === b.pod;
}

/** Pairs with equal keys have equal answers: pods of the same classes, and as near to each other. */
function pairKey(simulator: Simulator, source: Member, target: Member): string {
  const near = isSame(source, target) ? "same" : nodeOf(source) === nodeOf(target) ? "node" : "";
  return [memberKey(simulator, source), memberKey(simulator, target), target.port, near].join(" ");
}

function memberKey({ classOf }: Simulator, { endpoint, name }: Member): string {
  if (endpoint.kind !== "pod") return name;
  const known = classOf.get(endpoint.pod);
  return known === undefined ? `host ${endpoint.pod.namespace}/${name}` : `class ${known.index}`;
}

function nodeOf({ endpoint }: Member): string | undefined {
  if (endpoint.kind === "external") return undefined;
  return endpoint.kind === "node" ? endpoint.name : endpoint.pod.node;
}
