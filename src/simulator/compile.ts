import type { Family } from "./addresses.ts";
import { families } from "./addresses.ts";
import { classify, type Looks, type PodClass } from "./classes.ts";
import { createColumns } from "./columns.ts";
import { type Layers, layClasses } from "./layers.ts";
import type { Direction, Matcher, PeerTerm, Policy } from "./model.ts";
import type { Settings, SimulatedPod, Snapshot } from "./snapshot.ts";
import { type Translated, translate, type Unreadable } from "./translate.ts";

/** A snapshot made ready to be asked. Opaque: ask by decide, reach, connections. */
export type Simulator = {
  readonly snapshot: Snapshot;
  readonly settings: Settings;
  readonly classes: readonly PodClass[];
  readonly classOf: ReadonlyMap<SimulatedPod, PodClass>;
  readonly layers: Readonly<Record<Direction, readonly Layers[]>>;
  readonly policies: readonly Policy[];
  /** Policies that could not be read: whatever they might select is undecided. */
  readonly problems: readonly Unreadable[];
  /** What a reader should know about the whole: several engines at once, equal priorities. */
  readonly warnings: readonly string[];
};

/** Throws nothing for what the policies hold: see `problems`. */
export function compile(snapshot: Snapshot, settings: Settings): Simulator {
  const { policies, problems, warnings }: Translated = translate(snapshot.policies, settings.engine);
  const namespaces = new Map(snapshot.namespaces.map((namespace) => [namespace.name, namespace]));
  const classes = classify(snapshot.pods, namespaces, looksOf(policies, settings));
  const classOf = new Map(classes.flatMap((each) => each.pods.map((pod) => [pod, each] as const)));
  const layers = layClasses(classes, policies, createColumns(classes));
  return { snapshot, settings, classes, classOf, layers, policies, problems, warnings };
}

/** What the policies look at in a pod. */
function looksOf(policies: readonly Policy[], settings: Settings): Looks {
  const rules = policies.flatMap(({ ingress, egress }) => [...ingress, ...egress]);
  const terms = rules.flatMap(({ peers }) => (peers === "all" ? [] : peers));
  const matchers: readonly (Matcher | undefined)[] = [
    ...policies.map(({ subject }) => subject),
    ...rules.map(({ subject }) => subject),
    ...terms.flatMap(({ pods, notPods }) => [pods, notPods]),
  ];
  const ports = rules.flatMap(({ ports: each }) => (each === "all" ? [] : each));
  return {
    labels: new Set(matchers.flatMap((matcher) => matcher?.labels ?? [])),
    ports: new Set(ports.flatMap((term) => ("name" in term ? [term.name] : []))),
    cuts: cutsOf(terms.filter((term) => asksPodAddresses(term, settings))),
  };
}

function asksPodAddresses({ on, podsByAddress }: PeerTerm, { ipBlockMatchesPods }: Settings): boolean {
  return (
    on.includes("pod") && (podsByAddress === "yes" || (podsByAddress === "engine" && ipBlockMatchesPods !== false))
  );
}

function cutsOf(terms: readonly PeerTerm[]): Readonly<Record<Family, readonly bigint[]>> {
  const cuts = families.map((family) => {
    const ranges = terms.flatMap(({ addresses, notAddresses }) => [
      ...(addresses?.[family] ?? []),
      ...(notAddresses?.[family] ?? []),
    ]);
    const values = new Set(ranges.flatMap(({ first, last }) => [first, last + 1n]));
    return [family, [...values].toSorted((a, b) => (a < b ? -1 : 1))] as const;
  });
  return { ipv4: [], ipv6: [], ...Object.fromEntries(cuts) };
}
