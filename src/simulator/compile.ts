import type { Family } from "./addresses.ts";
import { families } from "./addresses.ts";
import { createRegister, type Looks, type PodClass, type Register } from "./classes.ts";
import { type Columns, createColumns } from "./columns.ts";
import { type BoundPolicy, bindPolicy, compareBound, createLayering, type KnownLayers, type Layers } from "./layers.ts";
import type { Direction, Matcher, PeerTerm, Policy } from "./model.ts";
import type { EngineName, Settings, SimulatedPod, Snapshot } from "./snapshot.ts";
import { type Translations, translate, type Unreadable, unreadable } from "./translate.ts";

/** A snapshot made ready to be asked. Opaque: ask by decide, reach, connections, delta. */
export type Simulator = {
  readonly snapshot: Snapshot;
  readonly settings: Settings;
  /** The engine whose ways hold: as the settings name it, or as its policies tell; undefined: none is known. */
  readonly engine: EngineName | undefined;
  /** Pods of the host network have none. */
  readonly classOf: ReadonlyMap<SimulatedPod, PodClass>;
  readonly layersOf: (direction: Direction, podClass: PodClass) => Layers;
  readonly policies: readonly Policy[];
  /** Policies that could not be read: whatever they might select is undecided. */
  readonly problems: readonly Unreadable[];
  /** What a reader should know about the whole: several engines at once. */
  readonly warnings: readonly string[];
  readonly parts: Parts;
};

/** What a changed snapshot can go on using. */
export type Parts = {
  readonly looks: Looks;
  readonly register: Register;
  readonly columns: Columns;
  readonly translations: Translations;
  readonly bound: ReadonlyMap<Policy, BoundPolicy>;
  readonly layers: KnownLayers;
};

/** Throws nothing for what the policies hold: see `problems`. */
export function compile(snapshot: Snapshot, settings: Settings): Simulator {
  const translations = translate(snapshot, settings);
  const policies = policiesOf(translations);
  const looks = looksOf(policies, settings);
  const register = createRegister(snapshot.namespaces);
  const classOf = enrolAll(snapshot.pods, register, looks);
  const columns = createColumns(register.classes);
  const bound = new Map(policies.map((policy) => [policy, bindPolicy(policy, columns)]));
  const parts: Parts = { looks, register, columns, translations, bound, layers: new Map() };
  const simulator = assemble({ snapshot, settings, classOf, parts });
  for (const podClass of register.classes) {
    simulator.layersOf("ingress", podClass);
    simulator.layersOf("egress", podClass);
  }
  columns.prepare();
  return simulator;
}

/** A simulator over parts that fit the snapshot. */
export function assemble(given: Pick<Simulator, "snapshot" | "settings" | "classOf" | "parts">): Simulator {
  const { translations, bound } = given.parts;
  const layersOf = createLayersOf(given.parts);
  return {
    ...given,
    engine: given.settings.engine ?? translations.engine,
    layersOf,
    policies: [...bound.keys()],
    problems: unreadable(translations),
    warnings: translations.warnings,
  };
}

export function policiesOf({ byObject }: Translations): readonly Policy[] {
  return [...byObject.values()].flatMap(({ policies }) => policies);
}

function enrolAll(
  pods: readonly SimulatedPod[],
  register: Register,
  looks: Looks,
): ReadonlyMap<SimulatedPod, PodClass> {
  const classOf = new Map<SimulatedPod, PodClass>();
  for (const pod of pods) {
    const podClass = register.enrol(pod, looks);
    if (podClass !== undefined) classOf.set(pod, podClass);
  }
  return classOf;
}

/** Each class is layered when it is first asked for. */
function createLayersOf({ bound, layers }: Parts): Simulator["layersOf"] {
  const sorted = [...bound.values()].toSorted(compareBound);
  const layering = {
    ingress: createLayering("ingress", sorted, layers),
    egress: createLayering("egress", sorted, layers),
  };
  const known: Record<Direction, Layers[]> = { ingress: [], egress: [] };
  return (direction, podClass) => (known[direction][podClass.index] ??= layering[direction](podClass));
}

/** What the policies look at in a pod. */
export function looksOf(policies: readonly Policy[], settings: Settings): Looks {
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
