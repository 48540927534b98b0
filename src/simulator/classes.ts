import { type Family, families, parseAddress } from "./addresses.ts";
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
  readonly pods: SimulatedPod[];
};

/** Pods of the host network are in no class: no policy selects them. */
export function classify(
  pods: readonly SimulatedPod[],
  namespaces: ReadonlyMap<string, SimulatedNamespace>,
  looks: Looks,
): readonly PodClass[] {
  const classes = new Map<string, PodClass>();
  for (const pod of pods) {
    if (pod.hostNetwork) continue;
    const addresses = pod.addresses.flatMap((text) => parseAddress(text) ?? []);
    const key = classKey(pod, addresses, looks);
    const known = classes.get(key);
    if (known === undefined) classes.set(key, classOf(pod, addresses, { index: classes.size, namespaces }));
    else known.pods.push(pod);
  }
  return [...classes.values()];
}

/** A namespace without an object has only the label that every namespace has. */
function namespaceNamed(namespaces: ReadonlyMap<string, SimulatedNamespace>, name: string): SimulatedNamespace {
  return namespaces.get(name) ?? { name, labels: { "kubernetes.io/metadata.name": name } };
}

function classKey(pod: SimulatedPod, addresses: readonly PodAddress[], looks: Looks): string {
  const labels = [...looks.labels]
    .map((key) => (Object.hasOwn(pod.labels, key) ? `=${pod.labels[key]}` : ""))
    .join(",");
  const ports = pod.ports
    .filter(({ name }) => looks.ports.has(name))
    .map(({ name, protocol, port }) => `${name}/${protocol}/${port}`);
  const pieces = addresses.map(({ family, value }) => `${family}${pieceOf(looks.cuts[family], value)}`);
  const known =
    looks.cuts.ipv4.length + looks.cuts.ipv6.length > 0
      ? pieces
      : families.filter((family) => addresses.some((each) => each.family === family));
  return [pod.namespace, pod.serviceAccount, labels, ports.join(","), known.toSorted().join(",")].join("|");
}

function classOf(
  pod: SimulatedPod,
  addresses: readonly PodAddress[],
  { index, namespaces }: { index: number; namespaces: ReadonlyMap<string, SimulatedNamespace> },
): PodClass {
  const namespace = namespaceNamed(namespaces, pod.namespace);
  const identity = { namespace, labels: pod.labels, serviceAccount: pod.serviceAccount };
  return { index, identity, ports: pod.ports, addresses, pods: [pod] };
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
