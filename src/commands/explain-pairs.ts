import type { Simulator } from "../simulator/compile.ts";
import { type Answer, decide } from "../simulator/decide.ts";
import type { Protocol } from "../simulator/model.ts";
import type { Member, Side } from "./explain-sides.ts";

/** One answer and for whom it holds: the same verdict for the same reasons, at the same port of the pods. */
export type PairAnswer = { readonly answer: Answer; readonly port: number; readonly blocks: readonly Block[] };

/** Each of the one to each of the other (but to itself), by name. */
export type Block = { readonly from: readonly string[]; readonly to: readonly string[] };

export type Answered = {
  /** The commonest first. */
  readonly answers: readonly PairAnswer[];
  /** How many kinds of pairs were not asked, since there are too many. */
  readonly left: number;
};

/** Pods that no policy tells apart are asked once, so it takes many kinds of pods to come here. */
const most = 4_000;

/** Every pod of one side to every pod of the other, but to itself where others are there. */
export function decidePairs(
  simulator: Simulator,
  { from, to, protocol }: { readonly from: Side; readonly to: Side; readonly protocol: Protocol },
): Answered {
  const pairs = kindsOfPairs(simulator, from, to);
  const found = new Map<string, { answer: Answer; port: number; blocks: Block[] }>();
  for (const { source, target, block } of pairs.slice(0, most)) {
    const { port } = target;
    const answer = decide(simulator, { from: source.endpoint, to: target.endpoint, protocol, port });
    const id = `${port} ${JSON.stringify(answer)}`;
    const known = found.get(id) ?? { answer, port, blocks: [] };
    found.set(id, known);
    known.blocks.push(block);
  }
  const answers = [...found.values()].toSorted((a, b) => size(b) - size(a));
  return { answers, left: Math.max(0, pairs.length - most) };
}

function size({ blocks }: Pick<PairAnswer, "blocks">): number {
  return blocks.reduce((sum, { from, to }) => sum + from.length * to.length, 0);
}

/** Two that stand for all pairs of a block. */
type KindOfPair = { readonly source: Member; readonly target: Member; readonly block: Block };

function kindsOfPairs(simulator: Simulator, from: Side, to: Side): readonly KindOfPair[] {
  // Only to and from a node it matters which node a pod is on.
  const byNode = [...from.members, ...to.members].some(isOfNode);
  const grouped = ({ members }: Side) => [
    ...Map.groupBy(members, (each) => memberKey(simulator, each, byNode)).values(),
  ];
  const all = grouped(from).flatMap((sources) => grouped(to).map((targets) => kindOfPair(sources, targets)));
  const apart = all.filter(({ source, target }) => !isSame(source, target));
  return apart.length > 0 ? apart : all;
}

/** By two that are not one and the same pod, where there are such: its way to itself says nothing of the others'. */
function kindOfPair(sources: readonly Member[], targets: readonly Member[]): KindOfPair {
  const pairs = sources.slice(0, 2).flatMap((source) => targets.slice(0, 2).map((target) => ({ source, target })));
  const chosen = pairs.find(({ source, target }) => !isSame(source, target)) ?? pairs[0];
  if (chosen === undefined) throw new Error("a group of pods is never empty");
  return { ...chosen, block: { from: sources.map(nameOf), to: targets.map(nameOf) } };
}

function nameOf({ name }: Member): string {
  return name;
}

function isSame({ endpoint: a }: Member, { endpoint: b }: Member): boolean {
  return a.kind === "pod" && b.kind === "pod" && a.pod === b.pod;
}

function isOfNode({ endpoint }: Member): boolean {
  return endpoint.kind === "node" || (endpoint.kind === "pod" && endpoint.pod.hostNetwork);
}

/** Members with equal keys have equal answers. */
function memberKey({ classOf }: Simulator, { endpoint, name, port }: Member, byNode: boolean): string {
  if (endpoint.kind !== "pod") return name;
  const known = classOf.get(endpoint.pod);
  const which = known === undefined ? `host ${name}` : `class ${known.index}`;
  return `${which} ${port}${byNode ? ` on ${endpoint.pod.node}` : ""}`;
}
