import type { Labels } from "../policy/objects.ts";
import { type Family, parseAddress } from "./addresses.ts";
import type { ContainerPort, PodIdentity, SimulatedNamespace } from "./model.ts";
import type { SimulatedPod } from "./snapshot.ts";

/** Where policies look at pods: everything else about a pod cannot decide anything. */
export type Looks = {
  /** Keys of pod labels. */
  readonly labels: ReadonlySet<string>;
  /** Names of ports. */
  readonly ports: ReadonlySet<string>;
  /** First addresses of the pieces into which the policies cut each family, sorted; empty where no pod is asked by its address. */
  readonly cuts: Readonly<Record<Family, readonly bigint[]>>;
};

export type PodAddress = { readonly family: Family; readonly value: bigint };

/** Pods that no policy can tell apart. */
export type PodClass = {
  readonly index: number;
  readonly identity: PodIdentity;
  readonly ports: readonly ContainerPort[];
  /** Of one of the pods: the others' lie in the same pieces. Empty: not known. */
  readonly addresses: readonly PodAddress[];
};

/** The classes of pods. They are only ever added: an index keeps its meaning. */
export type Register = {
  readonly classes: readonly PodClass[];
  /** The pod's class, made where there is none yet. Undefined for pods of the host network: no policy selects them. */
  readonly enrol: (pod: SimulatedPod, looks: Looks) => PodClass | undefined;
};

export function createRegister(namespaces: readonly SimulatedNamespace[]): Register {
  const byName = new Map(namespaces.map((namespace) => [namespace.name, namespace]));
  const classes: PodClass[] = [];
  const known = new Map<string, PodClass>();
  return {
    classes,
    enrol: (pod, looks) => {
      if (pod.hostNetwork) return undefined;
      const addresses = parseAddresses(pod.addresses);
      const labels = labelsSeen(pod, looks);
      const key = classKey(pod, labels, { addresses, looks });
      const existing = known.get(key);
      if (existing !== undefined) return existing;
      const identity = {
        namespace: namespaceNamed(byName, pod.namespace),
        labels,
        serviceAccount: pod.serviceAccount,
      };
      const made = { index: classes.length, identity, ports: pod.ports, addresses };
      classes.push(made);
      known.set(key, made);
      return made;
    },
  };
}

export function parseAddresses(addresses: readonly string[]): readonly PodAddress[] {
  return addresses.flatMap((text) => parseAddress(text) ?? []);
}

/** A namespace without an object has only the label that every namespace has. */
function namespaceNamed(namespaces: ReadonlyMap<string, SimulatedNamespace>, name: string): SimulatedNamespace {
  return namespaces.get(name) ?? { name, labels: { "kubernetes.io/metadata.name": name } };
}

/** Only these are kept: a label that was not looked at when the class was made must never decide. */
function labelsSeen({ labels }: SimulatedPod, looks: Looks): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => looks.labels.has(key)));
}

/** Says nothing of a label that is absent, so that the key stays the same when one more label is looked at. */
function classKey(
  pod: SimulatedPod,
  labels: Labels,
  { addresses, looks }: { addresses: readonly PodAddress[]; looks: Looks },
): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const ports = pod.ports
    .filter(({ name }) => looks.ports.has(name))
    .map(({ name, protocol, port }) => `${name}/${protocol}/${port}`);
  const { cuts } = looks;
  const pieces = addresses.map(({ family, value }) => `${family}${pieceOf(cuts[family], value)}`);
  return [pod.namespace, pod.serviceAccount, pairs.toSorted().join(), ports.join(), pieces.toSorted().join()].join("|");
}

/** How many cuts lie at or below the address, by halving. */
function pieceOf(cuts: readonly bigint[], value: bigint): number {
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cuts[middle] ?? 0n) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
