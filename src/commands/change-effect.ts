import { canonicalHash } from "../policy/canonical.ts";
import { manifestName } from "../policy/manifest.ts";
import { type Image, lineageOf } from "../policy/revision.ts";
import { absentPods } from "../simulator/absent-pods.ts";
import { change } from "../simulator/change.ts";
import { compile, type Simulator } from "../simulator/compile.ts";
import { type DeltaRow, delta } from "../simulator/delta.ts";
import type { Policy, WireObject } from "../simulator/model.ts";
import { portsByProtocol } from "../simulator/ports.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Pair, pairsOf, tell } from "./delta-words.ts";
import { judgedBy } from "./detection.ts";
import { rangesInWords } from "./leak-ends.ts";

/** One policy from what it is, or was, to what it becomes; undefined is not there. */
export type PolicyChange = { readonly from: Image | undefined; readonly to: Image | undefined };

/** What changes of policies do to connections. Sentences for people, most important first; names in them come from outside. */
export type Effect = {
  /** `shop/cart (Deployment) → payments/checkout (Deployment) on TCP 8080`. */
  readonly opens: readonly string[];
  readonly closes: readonly string[];
  /** Connections that are undecided now and were not; and what keeps it from being decided, by cause. */
  readonly undecided: readonly string[];
  /** Of all that it does, workload by workload and in full: equal where two effects are. For a plan's hash. */
  readonly digest: string;
};

type Options = {
  /** Sentences of each sort; the others are counted. */
  readonly most?: number;
};

/**
 * What the changes do together in the cluster as it is seen: once with what they go from in place of what the snapshot has
 * of those policies, once with what they come to. Of pods that the policies speak of and that are not there now, one stands
 * for all: `shop/pods like app=web (none now)`. What was not read of the cluster is told as undecided.
 */
export function changeEffect(view: ClusterView, changes: readonly PolicyChange[], options: Options = {}): Effect {
  const now = compile(view.snapshot, judgedBy(view.detection));
  const effect = effectIn(withAbsent(now, changes), changes, options);
  return { ...effect, undecided: [...effect.undecided, ...unreadWords(view, options)] };
}

/** What was not read of the cluster, as sentences: it leaves every effect undecided. */
export function unreadWords({ unread }: Pick<ClusterView, "unread">, options: Options = {}): readonly string[] {
  return bounded(
    unread.map(({ what, why }) => `Not read, and so not decided: ${what} (${why}).`),
    options,
  );
}

/** The cluster with a pod for each selector of the policies that selects none now. */
export function withAbsent(now: Simulator, changes: readonly PolicyChange[]): Simulator {
  const { before, after, from, to } = simulated(now, changes);
  const absent = absentPods(now.snapshot, [...policiesOf(before, from), ...policiesOf(after, to)]);
  if (absent.length === 0) return now;
  const { namespaces, pods, ...rest } = now.snapshot;
  const known = new Set(namespaces.map(({ name }) => name));
  const made = new Map(absent.map(({ namespace }) => [namespace.name, namespace]));
  const more = [...made.values()].filter(({ name }) => !known.has(name));
  const snapshot = { ...rest, namespaces: [...namespaces, ...more], pods: [...pods, ...absent.map(({ pod }) => pod)] };
  return compile(snapshot, now.settings);
}

function policiesOf({ parts }: Simulator, images: readonly Image[]): readonly Policy[] {
  return images.flatMap((image) => parts.translations.byObject.get(image)?.policies ?? []);
}

/** The same for many in one cluster, compiled once, for the pods that are there, whatever was not read of it. */
export function effectIn(now: Simulator, changes: readonly PolicyChange[], options: Options = {}): Effect {
  const sides = simulated(now, changes);
  const rows = delta(sides.before, sides.after, new Map());
  return {
    opens: sentences(pairsIn(rows, "opened"), "opened", options),
    closes: sentences(pairsIn(rows, "closed"), "closed", options),
    undecided: [...notUnderstood(sides), ...sentences(pairsIn(rows, "unsure"), "unsure", options)],
    digest: digestOf(rows),
  };
}

/** The cluster before and after the changes, and their images as those that it holds. */
export type Sides = {
  readonly before: Simulator;
  readonly after: Simulator;
  readonly from: readonly Image[];
  readonly to: readonly Image[];
};

/** With what they go from in place of what the snapshot has of those policies, and with what they come to. */
export function simulated(now: Simulator, changes: readonly PolicyChange[]): Sides {
  const [from, to] = [changes.flatMap((one) => one.from ?? []), changes.flatMap((one) => one.to ?? [])];
  const concerned = new Set([...from, ...to].map(keyOf));
  const there = now.snapshot.policies.filter((policy) => concerned.has(keyOf(policy)));
  const before = change(now, { removed: there, added: from });
  return { before, after: change(before, { removed: from, added: to }), from, to };
}

/** Whatever its version: the same object is served in several. */
function keyOf({ apiVersion, kind, metadata: { namespace, name } }: WireObject): string {
  return lineageOf({ cluster: "", apiVersion, kind, namespace, name });
}

export type Sort = "opened" | "closed" | "unsure";

/** Of one sort, each pair once. */
export function pairsIn(rows: readonly DeltaRow[], sort: Sort): readonly Pair[] {
  return pairsOf(rows, (row) => row[sort]);
}

/** Pairs of one sort as sentences, most important first. */
export function sentences(found: readonly Pair[], sort: Sort, options: Options = {}): readonly string[] {
  const pairs = withRangesNamed(found);
  const told = (some: readonly Pair[]) => tell(some).toSorted((a, b) => b.pairs - a.pairs);
  const [outside, inside] = [told(pairs.filter(isOutside)), told(pairs.filter((pair) => !isOutside(pair)))];
  // What the world outside gets is what is feared of an opening, and what workloads lose is what is felt of a closing.
  const sorted = sort === "opened" ? [...outside, ...inside] : [...inside, ...outside];
  return bounded(
    sorted.map(({ text }) => (sort === "unsure" ? `Not certain: ${text}` : text)),
    options,
  );
}

function isOutside({ from, to }: Pair): boolean {
  return from.outside || to.outside;
}

function bounded(texts: readonly string[], { most = 8 }: Options): readonly string[] {
  const left = texts.length - most;
  return left <= 1 ? texts : [...texts.slice(0, most), `And ${left} more.`];
}

/** Ranges that the same workload gets or loses in the same way are one end, as CIDRs or by what they leave out. */
function withRangesNamed(pairs: readonly Pair[]): readonly Pair[] {
  const alike = Map.groupBy(pairs, ({ from, to, ports }) =>
    JSON.stringify([from.outside ? "" : from.name, to.outside ? "" : to.name, portsByProtocol(ports)]),
  );
  return [...alike.values()].flatMap((same) => {
    const [first] = same;
    const side = first?.from.outside === true ? "from" : "to";
    if (first === undefined || !first[side].outside) return same;
    const names = rangesInWords(same.map((pair) => pair[side].name));
    return names.map((name) => ({ ...first, [side]: { name, outside: true } }));
  });
}

/** Policies of the changes that the simulator cannot read, or knows nothing of. */
export function notUnderstood({ before, after, from, to }: Sides): readonly string[] {
  const sides = [[before, from] as const, [after, to] as const];
  const texts = sides.flatMap(([simulator, images]) =>
    images.flatMap((image) => {
      const translated = simulator.parts.translations.byObject.get(image);
      if (translated === undefined) return [`${manifestName(image)} is of an API that is not evaluated.`];
      const [problem] = translated.problems;
      return problem === undefined
        ? []
        : [`${manifestName(image)} could not be read: ${problem.field} ${problem.message}.`];
    }),
  );
  return [...new Set(texts)];
}

/** The same for rows that do the same to the same workloads, and more where there is more to it. */
export function digestOf(rows: readonly DeltaRow[]): string {
  const sorts: readonly Sort[] = ["opened", "closed", "unsure"];
  const lines = sorts.flatMap((sort) =>
    pairsIn(rows, sort).map(({ from, to, ports }) =>
      JSON.stringify([sort, from.name, to.name, portsByProtocol(ports)]),
    ),
  );
  return canonicalHash(lines.toSorted());
}
