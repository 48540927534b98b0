import { isEphemeral } from "./classify.ts";
import { type FlowKey, pairText } from "./flow-key.ts";

/** A pair with more ports than this is one that scans. */
const mostPorts = 32;
/** More that are handed out to whoever connects than this are no services, and told together. */
const mostEphemeral = 4;
/** One of them that has at least so many, and that part of all, is a line of its own all the same. */
const outstanding = { count: 20, part: 1 / 32 };

type Counted = { readonly key: FlowKey; readonly count: number; readonly error: number };

/** Whether one more port of the pair, that has these, is to be counted with the rest of them. */
export function isTooMany(ports: ReadonlySet<number>, port: number): boolean {
  return ports.size >= mostPorts && !ports.has(port);
}

/**
 * Of what is listed, the keys that one line tells of together, as a function of a counted key: ports of one pair become
 * `many` where there are too many of them, or another replica found so. The same whoever counted which part.
 */
export function foldPorts(all: readonly Counted[]): (counted: Counted) => FlowKey {
  const pairs = new Map<string, Counted[]>();
  for (const counted of all) {
    const text = pairText(counted.key);
    const pair = pairs.get(text);
    if (pair === undefined) pairs.set(text, [counted]);
    else pair.push(counted);
  }
  const folded = new Set<Counted>();
  for (const pair of pairs.values()) for (const counted of foldedOf(pair)) folded.add(counted);
  return (counted) => (folded.has(counted) ? { ...counted.key, port: "many" } : counted.key);
}

function foldedOf(pair: readonly Counted[]): readonly Counted[] {
  if (pair.length < 2) return [];
  const hasMany = pair.some(({ key }) => key.port === "many");
  const ephemeral = pair.filter(({ key }) => typeof key.port === "number" && isEphemeral(key.port));
  const isFolded = hasMany || new Set(pair.map(({ key }) => key.port)).size > mostPorts;
  if (!isFolded && ephemeral.length <= mostEphemeral) return [];
  const total = pair.reduce((sum, { count }) => sum + count, 0);
  return (isFolded ? pair : ephemeral).filter(
    ({ key, count, error }) =>
      typeof key.port === "number" && count - error < Math.max(outstanding.count, total * outstanding.part),
  );
}
