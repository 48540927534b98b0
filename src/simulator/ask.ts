import type { Simulator } from "./compile.ts";
import { type Answer, decide, type Endpoint, type Verdict } from "./decide.ts";
import type { Protocol } from "./model.ts";
import type { Arrival, Destination, Source } from "./resolution.ts";

/** So many pairs of different endpoints with the same answer, one of which stands for all. */
export type Case = { readonly from: Endpoint; readonly to: Arrival; readonly pairs: number; readonly answer: Answer };

/** `mixed`: it depends on which of the endpoints. */
export type Asking = { readonly verdict: Verdict | "mixed"; readonly cases: readonly Case[] };

/** Whether the source can connect to the destination, for each pair of their endpoints; at least one case. */
export function ask(simulator: Simulator, from: Source, to: Destination, protocol: Protocol): Asking {
  const ends = [...from.endpoints, ...to.endpoints.map(({ endpoint }) => endpoint)];
  // Only to and from a node it matters which node a pod is on.
  const byNode = ends.some((end) => end.kind === "node" || (end.kind === "pod" && end.pod.hostNetwork));
  const key = (end: Endpoint): string => endpointKey(simulator, end, byNode);
  const sources = grouped(from.endpoints, key);
  const arrivals = grouped(to.endpoints, ({ endpoint, port }) => `${port} ${key(endpoint)}`);
  const pairs = from.endpoints.length * to.endpoints.length;
  const cases = new Map<string, Case>();
  for (const source of sources) {
    for (const arrival of arrivals) {
      const found = askPair(simulator, source, arrival, protocol);
      if (found.pairs === 0 && pairs > 1) continue;
      const same = JSON.stringify([found.answer, found.to.port]);
      const other = cases.get(same);
      cases.set(same, other === undefined ? found : { ...other, pairs: other.pairs + found.pairs });
    }
  }
  const [verdict = "denied", ...more] = new Set([...cases.values()].map(({ answer }) => answer.verdict));
  return { verdict: more.length === 0 ? verdict : "mixed", cases: [...cases.values()] };
}

function endpointKey({ classOf }: Simulator, end: Endpoint, byNode: boolean): string {
  if (end.kind !== "pod") return JSON.stringify(end);
  const { node, hostNetwork, addresses } = end.pod;
  const which = hostNetwork ? `host ${addresses.join()}` : `class ${classOf.get(end.pod)?.index}`;
  return byNode ? `${which} on ${node}` : which;
}

function grouped<Member>(members: readonly Member[], key: (member: Member) => string): readonly (readonly Member[])[] {
  return [...Map.groupBy(members, key).values()];
}

/** A pod of one group and one of the other, not the same one if possible: a pod's way to itself says nothing of the others'. */
function askPair(
  simulator: Simulator,
  sources: readonly Endpoint[],
  arrivals: readonly Arrival[],
  protocol: Protocol,
): Case {
  const both = new Set(sources.map(identityOf));
  const pairs =
    sources.length * arrivals.length - arrivals.filter(({ endpoint }) => both.has(identityOf(endpoint))).length;
  const apart = sources
    .slice(0, 2)
    .flatMap((from) => arrivals.slice(0, 2).map((to) => ({ from, to })))
    .toSorted((a, b) => Number(isSame(a)) - Number(isSame(b)));
  const [chosen] = apart;
  if (chosen === undefined) throw new Error("a group of endpoints is never empty");
  const { from, to } = chosen;
  const traffic = { protocol, port: to.port };
  const { endpoint } = to;
  if (!isSame(chosen) || from.kind !== "pod" || from.pod.name !== undefined || endpoint.kind !== "pod") {
    return { from, to, pairs, answer: decide(simulator, { from, to: endpoint, ...traffic }) };
  }
  // A template stands for several pods, so its way to itself is the way from one of them to another.
  const replica = { ...endpoint.pod };
  const own = simulator.classOf.get(endpoint.pod);
  const classOf = own === undefined ? simulator.classOf : new Map(simulator.classOf).set(replica, own);
  const answer = decide({ ...simulator, classOf }, { from, to: { kind: "pod", pod: replica }, ...traffic });
  return { from, to, pairs: pairs + 1, answer };
}

function identityOf(end: Endpoint): unknown {
  return end.kind === "pod" ? end.pod : end;
}

function isSame({ from, to }: { readonly from: Endpoint; readonly to: Arrival }): boolean {
  return from.kind === "pod" && to.endpoint.kind === "pod" && from.pod === to.endpoint.pod;
}
