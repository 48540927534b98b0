import type { FlowKey } from "../flows/flow-key.ts";
import type { Place } from "../flows/place.ts";
import { marks } from "../policy/marks.ts";
import { isContaining, isLive } from "../policy/operation.ts";
import type { Revision } from "../policy/revision.ts";
import { compile, type Simulator } from "../simulator/compile.ts";
import type { Snapshot } from "../simulator/snapshot.ts";
import { simulated } from "./change-effect.ts";
import { inTime } from "./clusters.ts";
import type { End } from "./command.ts";
import { detectionOf, judgedBy } from "./detection.ts";
import { type ExplainFacts, notSimulated, readFacts, within } from "./explain-facts.ts";
import { type FlowJudge, isAllowedIn, type OwnPolicies, ownKey } from "./flow-cause.ts";
import { clusterOf, type Services } from "./services.ts";

/** The cluster is read and compiled within this time, or no cause is worked out. */
const readMs = 3_000;

/** More pods than this take longer to compile than an answer may take. */
const mostPods = 10_000;

/** What judges these flows of a cluster, or a clause that says why nothing does. */
export async function judgeOf(
  services: Services,
  cluster: string,
  keys: readonly FlowKey[],
): Promise<FlowJudge | { readonly why: string }> {
  const ends = keys.flatMap(({ from, to }) => [from, to]);
  const namespaces = new Set(ends.flatMap((end) => (end.kind === "workload" ? [end.namespace] : [])));
  try {
    const facts = await inTime(readAround(services, cluster, namespaces, ends.some(isNode)), readMs);
    const snapshot = within(facts.snapshot, namespaces);
    if (snapshot.pods.length > mostPods) return { why: `there are more than ${mostPods} pods` };
    const own = await operationsInForce(services, snapshot);
    return { simulator: compile(snapshot, judgedBy(facts.detection)), own, unread: unreadOf(facts) };
  } catch (error) {
    services.meter({ kind: "error", where: "flows", message: String(error) });
    return { why: "the cluster did not answer" };
  }
}

/** Nodes are known by the pods on their network, wherever those are. */
function readAround(
  services: Services,
  cluster: string,
  namespaces: ReadonlySet<string>,
  asksNodes: boolean,
): Promise<ExplainFacts> {
  const named = [...namespaces].map((namespace): End => ({ kind: "named", namespace, of: undefined, name: "" }));
  const ends: readonly End[] = asksNodes ? [...named, { kind: "address", address: "" }] : named;
  return readFacts(clusterOf(services, cluster).cluster, ends, detectionOf(services, cluster, "cache"));
}

function isNode({ kind }: Place): boolean {
  return kind === "node";
}

function unreadOf({ unread, snapshot, age }: ExplainFacts): readonly string[] {
  const names = [...unread, ...notSimulated(snapshot)].map(({ what }) => what);
  return age.unanswered === undefined ? names : [...names, "what changed since the API server last answered"];
}

/** What bears our marks and is of an operation that stands in force: the marks alone anybody may write. */
async function operationsInForce({ operations }: Services, { policies }: Snapshot): Promise<OwnPolicies> {
  const marked = policies.flatMap(({ metadata }) => {
    const { labels = {} } = metadata as { readonly labels?: Readonly<Record<string, string>> };
    const operation = labels[marks.operation];
    const is = labels[marks.kind];
    const cuts = is === "quarantine" || is === "lockdown";
    return operation === undefined || !cuts ? [] : [{ key: ownKey(metadata), operation }];
  });
  const found = await Promise.all(
    [...new Set(marked.map(({ operation }) => operation))].map(async (id) => [id, await operations.get(id)] as const),
  );
  const live = new Map(found.flatMap(([id, one]) => (one && isContaining(one.kind) && isLive(one) ? [[id, one]] : [])));
  return new Map(
    marked.flatMap(({ key, operation }) => {
      const one = live.get(operation);
      return one === undefined ? [] : [[key, { operation, is: one.kind, namespace: one.target.namespace }]];
    }),
  );
}

/** So many changes are tried for a line: one that broke something is among the newest. */
const mostTried = 5;

/** All lines together: a large cluster takes its time for each change that is thought away. */
const tryMs = 1_000;

/** The newest change before which a flow was allowed that is denied now; undefined where there is none, or no time to look. */
export type ClosedBy = (key: FlowKey) => Revision | undefined;

/** Each change is thought away once, whatever number of flows is asked about. `now` in milliseconds since the epoch. */
export function createClosedBy(simulator: Simulator, revisions: readonly Revision[], now: () => number): ClosedBy {
  const until = now() + tryMs;
  const standing = revisions.filter(({ undoneBy }) => undoneBy === undefined);
  const known = new Map<Revision, Simulator>();
  const withoutIt = (revision: Revision): Simulator => {
    const { before: from, after: to } = revision;
    const found = known.get(revision) ?? simulated(simulator, [{ from, to }]).before;
    known.set(revision, found);
    return found;
  };
  return (key) =>
    standing
      .filter((revision) => bearsOn(revision, key))
      .slice(0, mostTried)
      .find((revision) => now() < until && isAllowedIn(withoutIt(revision), key));
}

/** A policy acts in its own namespace, or in all where it has none. */
export function bearsOn({ namespace }: Pick<Revision, "namespace">, { from, to }: FlowKey): boolean {
  return namespace === undefined || [from, to].some((end) => end.kind === "workload" && end.namespace === namespace);
}
