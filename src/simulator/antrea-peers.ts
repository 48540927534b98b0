import { type AddressSet, noAddresses, parseCidr, subtractAddresses, uniteAddresses } from "./addresses.ts";
import type { Groups, Members } from "./antrea-groups.ts";
import type { AppliedTo, IpBlock, Peer, Port } from "./antrea-schema.ts";
import { backendsOf, serviceNamed } from "./antrea-services.ts";
import { anyOf, noPod, podsAcross, podsOf, podsOfAccount } from "./matcher.ts";
import type { EndpointKind, Matcher, PeerTerm, PortTerm } from "./model.ts";
import type { SimulatedService } from "./snapshot.ts";

/** Where a policy stands, and what it can refer to. */
export type Surroundings = {
  /** Undefined for a ClusterNetworkPolicy. */
  readonly namespace: string | undefined;
  readonly groups: Groups;
  readonly services: readonly SimulatedService[];
};

const everywhere: readonly EndpointKind[] = ["pod", "node", "external"];

/** The pods of an appliedTo list. Nodes, external entities and ipBlocks in it select no pod. */
export function subjectOf(appliedTo: readonly AppliedTo[], surroundings: Surroundings): Matcher {
  return anyOf(appliedTo.flatMap((each) => appliedPods(each, surroundings)));
}

function appliedPods(entry: AppliedTo, surroundings: Surroundings): readonly Matcher[] {
  const { group, serviceAccount, service, nodeSelector, externalEntitySelector } = entry;
  if (nodeSelector !== undefined || externalEntitySelector !== undefined) return [];
  if (group !== undefined) return members(group, surroundings)?.pods ?? [];
  if (serviceAccount !== undefined) return [podsOfAccount(serviceAccount.namespace, serviceAccount.name)];
  if (service === undefined) return [selectedPods(entry, surroundings)];
  return [backendsOf(serviceNamed(surroundings.services, service.namespace, service.name))];
}

/** The terms of one entry of `from` or `to`, but for `namespaces`, which depends on the subject. */
export function termsOf(peer: Peer, surroundings: Surroundings): readonly PeerTerm[] {
  const { ipBlock, group, fqdn, serviceAccount, nodeSelector, externalEntitySelector, scope } = peer;
  if (ipBlock !== undefined) return [blockTerm(ipBlock)];
  if (group !== undefined) return groupTerms(members(group, surroundings));
  if (fqdn !== undefined) return [{ on: everywhere, maybe: "fqdn: names are not evaluated" }];
  if (nodeSelector !== undefined) return [nodes];
  if (externalEntitySelector !== undefined) return [externalEntities];
  const pods =
    serviceAccount === undefined
      ? selectedPods(peer, surroundings)
      : podsOfAccount(serviceAccount.namespace, serviceAccount.name);
  return scope === "ClusterSet" ? [{ on: ["pod"], pods }, otherClusters] : [{ on: ["pod"], pods }];
}

const nodes: PeerTerm = { on: ["node"], maybe: "nodeSelector: labels of nodes are not evaluated" };
export const externalEntities: PeerTerm = {
  on: ["external"],
  maybe: "externalEntitySelector: external entities are not evaluated",
};
export const otherClusters: PeerTerm = { on: ["external"], maybe: "scope: pods of other clusters are not evaluated" };

/** In a namespaced policy a podSelector alone stays in its namespace; in a cluster's own it reaches all of them. */
function selectedPods(
  { podSelector, namespaceSelector }: Pick<AppliedTo, "podSelector" | "namespaceSelector">,
  { namespace }: Surroundings,
): Matcher {
  if (namespaceSelector !== undefined) return podsAcross(namespaceSelector, podSelector);
  if (namespace !== undefined) return podsOf(namespace, podSelector);
  return podSelector === undefined ? noPod : podsAcross(undefined, podSelector);
}

function members(group: string, { groups, namespace }: Surroundings): Members | undefined {
  const found = groups(group, namespace);
  return typeof found === "string" ? undefined : found;
}

function groupTerms(found: Members | undefined): readonly PeerTerm[] {
  if (found === undefined) return [];
  return [
    ...found.pods.map((pods): PeerTerm => ({ on: ["pod"], pods })),
    ...found.ipBlocks.map(blockTerm),
    ...(found.nodes ? [nodes] : []),
    ...(found.externalEntities ? [externalEntities] : []),
  ];
}

/** Antrea holds packets' addresses against it, whosever they are: its own match-all is 0.0.0.0/0 (crd_utils.go, matchAllPeer). */
function blockTerm({ cidr, except = [] }: IpBlock): PeerTerm {
  const addresses = subtractAddresses(addressesOf(cidr), uniteAddresses(except.map(addressesOf)));
  return { on: everywhere, addresses, podsByAddress: "yes" };
}

/** Of text that the schema has accepted. */
function addressesOf(cidr: string): AddressSet {
  return parseCidr(cidr) ?? noAddresses;
}

export function portTerm({ protocol = "TCP", port, endPort }: Port): PortTerm {
  if (port === undefined) return { protocol, from: 1, to: 65_535 };
  return typeof port === "string" ? { protocol, name: port } : { protocol, from: port, to: endPort ?? port };
}
