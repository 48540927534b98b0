import type { BoundEnd, BoundOpening, BoundTemplate } from "./bind-template.ts";
import type { Endpoint } from "./endpoint.ts";
import { isRefusal, type Refusal, refusal } from "./guard.ts";
import type { LabelSelector, NetworkPolicyPeer, NetworkPolicyPort } from "./objects.ts";
import { type WorkloadValue, workloadText } from "./template-values.ts";

/** What may connect to what, in the direction in which connections are opened. */
export type Opening = {
  readonly from: End;
  readonly to: End;
  /** Undefined: all of them. */
  readonly ports: readonly NetworkPolicyPort[] | undefined;
};

export type End =
  | PodsEnd
  | { readonly kind: "block"; readonly cidr: string; readonly except: readonly string[] }
  /** The cluster's DNS where configuration names it by more than one namespace: no policy can be written for its side. */
  | { readonly kind: "peer"; readonly peer: NetworkPolicyPeer; readonly name: string }
  | { readonly kind: "anything" };

/** Pods of one namespace; an empty selector is all of them. */
export type PodsEnd = {
  readonly kind: "pods";
  readonly namespace: string;
  readonly selector: LabelSelector;
  /** For people: `payments/deployment/checkout`, `namespace payments`. */
  readonly name: string;
};

/** What only the cluster knows. */
export type Lookup = {
  /** The workload's own selector; a refusal where there is none of that name, or several kinds. */
  readonly workload: (name: Omit<WorkloadValue, "cluster">) => Omit<PodsEnd, "kind"> | Refusal;
  /** Where names are resolved, as commands/cluster-dns.ts gives it. */
  readonly dns: readonly Endpoint[];
};

/** The openings with the pods that are meant, at least one; or all reasons why they cannot be known. */
export function resolveOpenings(
  { openings }: Pick<BoundTemplate, "openings">,
  lookup: Lookup,
): { readonly openings: readonly Opening[] } | { readonly refusals: readonly Refusal[] } {
  const resolved = openings.map((opening) => resolveOpening(opening, lookup));
  const refusals = resolved.flatMap((one) => one.refusals);
  return refusals.length > 0 ? { refusals } : { openings: resolved.flatMap((one) => one.openings) };
}

/** The namespaces that the openings name, sorted: whose facts are needed, and where somebody needs rights. */
export function namespacesOf({ openings }: Pick<BoundTemplate, "openings">): readonly string[] {
  const ends = openings.flatMap(({ from, to }) => [from, to]);
  return [...new Set(ends.flatMap((end) => namespaceOf(end)))].toSorted();
}

function namespaceOf(end: BoundEnd): readonly string[] {
  if (end.kind === "workload") return [end.workload.namespace];
  return end.kind === "namespace" ? [end.namespace] : [];
}

type Resolved = { readonly openings: readonly Opening[]; readonly refusals: readonly Refusal[] };

function resolveOpening(opening: BoundOpening, lookup: Lookup): Resolved {
  const [sources, targets] = [opening.from, opening.to].map((end) => endsOf(end, lookup));
  const refusals = [...(sources ?? []), ...(targets ?? [])].filter((one) => isRefusal(one));
  const found = (ends: readonly (Found | Refusal)[] = []) => ends.filter((one) => "end" in one);
  const openings = found(sources).flatMap((from) =>
    found(targets).map((to) => ({ from: from.end, to: to.end, ports: opening.ports ?? to.ports })),
  );
  return { openings, refusals };
}

type Found = { readonly end: End; readonly ports?: Opening["ports"] };

function endsOf(end: BoundEnd, lookup: Lookup): readonly (Found | Refusal)[] {
  switch (end.kind) {
    case "workload": {
      const found = lookup.workload(end.workload);
      return [isRefusal(found) ? found : workloadEnd(found, end.workload)];
    }
    case "namespace":
      return [{ end: namespaceEnd(end) }];
    case "block":
      return [{ end: { kind: "block", cidr: end.cidr, except: end.except } }];
    case "dns":
      return dnsEnds(lookup.dns);
    case "anything":
      return [{ end: { kind: "anything" } }];
  }
}

/** A selector that selects everything would open the whole namespace, which is not what was named. */
function workloadEnd(found: Omit<PodsEnd, "kind">, asked: Omit<WorkloadValue, "cluster">): Found | Refusal {
  const { matchLabels = {}, matchExpressions = [] } = found.selector;
  if (Object.keys(matchLabels).length + matchExpressions.length > 0) return { end: { ...found, kind: "pods" } };
  return refusal(
    `the selector of ${workloadText(asked)} is empty: it would open every pod of namespace ${found.namespace}`,
    "Choose a template that is meant for a namespace.",
  );
}

function namespaceEnd({ namespace, pods }: Extract<BoundEnd, { kind: "namespace" }>): PodsEnd {
  const labels = Object.entries(pods).map(([key, value]) => `${key}=${value}`);
  if (labels.length === 0) return { kind: "pods", namespace, selector: {}, name: `namespace ${namespace}` };
  const name = `${labels.join(",")} in namespace ${namespace}`;
  return { kind: "pods", namespace, selector: { matchLabels: pods }, name };
}

function dnsEnds(endpoints: readonly Endpoint[]): readonly (Found | Refusal)[] {
  const outward = endpoints.filter(({ direction }) => direction !== "ingress");
  if (outward.length > 0) return outward.map((endpoint) => ({ end: dnsEnd(endpoint), ports: portsOf(endpoint) }));
  return [refusal("nobody knows where this cluster resolves names", "Set lockdown.dns in the configuration.")];
}

/** An endpoint without ports is open on all. */
function portsOf({ ports }: Endpoint): Opening["ports"] {
  return ports.length === 0 ? undefined : ports;
}

function dnsEnd({ peer, name }: Endpoint): End {
  if (peer.ipBlock !== undefined) return { kind: "block", cidr: peer.ipBlock.cidr, except: peer.ipBlock.except ?? [] };
  const { matchLabels = {}, matchExpressions = [] } = peer.namespaceSelector ?? {};
  const [[key, namespace] = [], ...others] = Object.entries(matchLabels);
  const isOne = key === "kubernetes.io/metadata.name" && others.length + matchExpressions.length === 0;
  if (!isOne || namespace === undefined) return { kind: "peer", peer, name };
  return { kind: "pods", namespace, selector: peer.podSelector ?? {}, name };
}
