import { addressesOf, whole } from "./addresses.ts";
import type { Entity } from "./cilium-peer-schema.ts";
import type { Direction, PeerTerm } from "./model.ts";

const dualStack = "only clusters of both IP families tell world-ipv4 and world-ipv6 from world";
const apiServer = "which addresses are the API server's is not known";

const terms: Readonly<Record<Entity, readonly PeerTerm[]>> = {
  all: [{ on: ["pod", "node", "external"] }],
  world: [{ on: ["external"] }],
  "world-ipv4": [{ on: ["external"], addresses: addressesOf("ipv4", [whole("ipv4")]), maybe: dualStack }],
  "world-ipv6": [{ on: ["external"], addresses: addressesOf("ipv6", [whole("ipv6")]), maybe: dualStack }],
  cluster: [{ on: ["pod", "node"] }],
  host: [{ on: ["node"], node: "own" }],
  "remote-node": [{ on: ["node"], node: "other" }],
  "kube-apiserver": [{ on: ["node", "external"], maybe: apiServer }],
  health: [],
  init: [],
  ingress: [],
  unmanaged: [],
  none: [],
};

/**
 * What the entities of one rule are here (documentation: Layer 3 Policies, Entities based). Health, init, ingress and
 * unmanaged are endpoints of Cilium's own, which no workload is. What comes in from a pod's own node is allowed before any
 * policy is asked, so that a node whose ingress is asked is another one.
 */
export function entityTerms(entities: readonly Entity[], direction: Direction): readonly PeerTerm[] {
  const every = entities.includes("remote-node") && (direction === "ingress" || entities.includes("host"));
  const nodes: readonly PeerTerm[] = every ? [{ on: ["node"] }] : [];
  return [...nodes, ...entities.flatMap((entity) => terms[entity])];
}
