import type { SimulatedPod, Snapshot } from "../../src/simulator/snapshot.ts";

/**
 * A second evaluator, to hold the simulator against: one connection at a time, on the raw objects, written from the API
 * documentation and sharing nothing but types with src/. It is meant to be read, not to be fast.
 */

export type Party = SimulatedPod | { readonly external: string };

export type Connection = {
  readonly from: Party;
  readonly to: Party;
  readonly protocol: string;
  readonly port: number;
};

/** One way in which what is left open may turn out. `assumed`: the address of a pod of which none is known. */
type World = {
  readonly family: "ipv4" | "ipv6";
  readonly ipBlockMatchesPods: boolean;
  readonly assumed: string;
  readonly order: Order;
};

/** By ascending priority, and those of equal priority in one of their orders. */
type Order = { readonly admin: readonly Raw[]; readonly baseline: readonly Raw[] };

// oxlint-disable-next-line typescript/no-explicit-any -- raw objects, valid by construction
type Raw = any;

type Verdict = "allowed" | "denied";

export type Verdicts = {
  /** In all worlds. */
  readonly verdicts: ReadonlySet<Verdict>;
  /** How many families, readings of ipBlock and addresses there were. */
  readonly readings: number;
};

/**
 * Asks a cluster. `setting`: whether ipBlock matches pods; `"unknown"`: it may and it may not. `anywhere`: addresses that a
 * pod may have of which none is known.
 */
export function naiveEvaluator(
  cluster: Snapshot,
  setting: boolean | "unknown",
  anywhere: readonly string[],
): (connection: Connection) => Verdicts {
  const readings = setting === "unknown" ? [true, false] : [setting];
  const allOrders = orders(cluster.policies.filter(isOfAdminTier)).flatMap((admin) =>
    orders(cluster.policies.filter(isOfBaselineTier)).map((baseline) => ({ admin, baseline })),
  );
  return (connection) => {
    const families = sharedFamilies(connection);
    const verdicts = new Set<Verdict>();
    for (const family of families)
      for (const ipBlockMatchesPods of readings) {
        // Egress and ingress are enforced in two places, which may choose differently between equal priorities; and each
        // looks at the address of the other end only.
        const [egress, ingress] = (["egress", "ingress"] as const).map((direction) => {
          const other = direction === "egress" ? connection.to : connection.from;
          const addresses = isUnknown(other) ? anywhere : [""];
          return addresses.flatMap((assumed) =>
            allOrders.map((order) =>
              isAllowed(cluster, { family, ipBlockMatchesPods, assumed, order }, connection, direction),
            ),
          );
        });
        if (egress!.includes(true) && ingress!.includes(true)) verdicts.add("allowed");
        if (egress!.includes(false) || ingress!.includes(false)) verdicts.add("denied");
      }
    const unknown = [connection.from, connection.to].filter(isUnknown).length;
    return { verdicts, readings: families.length * readings.length + unknown };
  };
}

function isUnknown(party: Party): boolean {
  return !("external" in party) && party.addresses.length === 0;
}

/** Where a pod's addresses are not known, IPv4 is taken for granted. */
function sharedFamilies({ from, to }: Connection): readonly ("ipv4" | "ipv6")[] {
  return (["ipv4", "ipv6"] as const).filter((family) =>
    [from, to].every((party) => (isUnknown(party) ? family === "ipv4" : addressOf(party, family) !== undefined)),
  );
}

function isOfAdminTier({ kind, spec }: Raw): boolean {
  return kind === "AdminNetworkPolicy" || (kind === "ClusterNetworkPolicy" && spec.tier === "Admin");
}

function isOfBaselineTier({ kind, spec }: Raw): boolean {
  return kind === "BaselineAdminNetworkPolicy" || (kind === "ClusterNetworkPolicy" && spec.tier === "Baseline");
}

/** All in which the priorities ascend. */
function orders(policies: readonly Raw[]): readonly (readonly Raw[])[] {
  return permutations(policies).filter((order) =>
    order.every((policy, index) => index === 0 || order[index - 1].spec.priority <= policy.spec.priority),
  );
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, index) => permutations(items.toSpliced(index, 1)).map((rest) => [first, ...rest]));
}

function isAllowed(cluster: Snapshot, world: World, connection: Connection, direction: "ingress" | "egress"): boolean {
  if (isExempt(connection)) return true;
  const subject = direction === "ingress" ? connection.to : connection.from;
  if ("external" in subject || subject.hostNetwork) return true;
  const ask = { cluster, world, connection, direction, subject };
  const admin = askTier(ask, world.order.admin);
  if (admin === "allow" || admin === "deny") return admin === "allow";
  const isolating = cluster.policies.filter((policy) => policy.kind === "NetworkPolicy" && isolates(ask, policy));
  if (isolating.length > 0) return isolating.some((policy) => networkPolicyAllows(ask, policy));
  return askTier(ask, world.order.baseline) !== "deny";
}

/** A pod to itself, and a node to and from its own pods. */
function isExempt({ from, to }: Connection): boolean {
  if (from === to) return true;
  if ("external" in from || "external" in to) return false;
  return (from.hostNetwork || to.hostNetwork) && from.node !== undefined && from.node === to.node;
}

type Ask = {
  readonly cluster: Snapshot;
  readonly world: World;
  readonly connection: Connection;
  readonly direction: "ingress" | "egress";
  readonly subject: SimulatedPod;
};

/* The tiers */

/** The first rule that matches, of the policies in order. */
function askTier(ask: Ask, policies: readonly Raw[]): "allow" | "deny" | "pass" | undefined {
  for (const { spec } of policies) {
    if (!isSelected(ask, spec.subject, ask.subject)) continue;
    for (const rule of spec[ask.direction] ?? []) {
      if (!tierRuleMatches(ask, rule)) continue;
      if (rule.action === "Deny") return "deny";
      return rule.action === "Pass" ? "pass" : "allow";
    }
  }
  return undefined;
}

function tierRuleMatches(ask: Ask, rule: Raw): boolean {
  const peers = ask.direction === "ingress" ? rule.from : rule.to;
  if (!peers.some((peer: Raw) => tierPeerMatches(ask, peer))) return false;
  const ports = rule.ports ?? rule.protocols;
  return ports === undefined || ports.some((port: Raw) => tierPortMatches(ask, port));
}

function tierPeerMatches(ask: Ask, peer: Raw): boolean {
  const other = otherOf(ask);
  if (peer.networks === undefined) return !("external" in other) && isSelected(ask, peer, other);
  const address = addressIn(ask.world, other);
  return peer.networks.some((cidr: string) => isIn(address, cidr));
}

/** A subject or a peer, of `namespaces` or `pods`. */
function isSelected(ask: Ask, { namespaces, pods }: Raw, pod: SimulatedPod): boolean {
  if (pod.hostNetwork) return false;
  const namespace = namespaceLabels(ask, pod);
  if (namespaces !== undefined) return selects(namespaces, namespace);
  return selects(pods.namespaceSelector ?? {}, namespace) && selects(pods.podSelector, pod.labels);
}

function tierPortMatches({ connection }: Ask, port: Raw): boolean {
  const name = port.namedPort ?? port.destinationNamedPort;
  if (name !== undefined) return hasNamedPort(connection, name);
  const { protocol, port: number } = connection;
  if (port.portNumber !== undefined) return isOf(port.portNumber, protocol) && port.portNumber.port === number;
  if (port.portRange !== undefined) return isOf(port.portRange, protocol) && isBetween(port.portRange, number);
  const match = port[protocol.toLowerCase()]?.destinationPort;
  if (match === undefined) return false;
  return match.range === undefined ? match.number === number : isBetween(match.range, number);
}

function isOf(port: Raw, protocol: string): boolean {
  return (port.protocol ?? "TCP") === protocol;
}

function isBetween({ start, end }: Raw, port: number): boolean {
  return start <= port && port <= end;
}

/* NetworkPolicy */

/** Whether a NetworkPolicy selects the pod in that direction. */
export function isIsolated({ policies }: Snapshot, subject: SimulatedPod, direction: "ingress" | "egress"): boolean {
  return policies.some((policy) => policy.kind === "NetworkPolicy" && isolates({ subject, direction }, policy));
}

function isolates({ direction, subject }: Pick<Ask, "direction" | "subject">, { metadata, spec }: Raw): boolean {
  if ((metadata.namespace ?? "default") !== subject.namespace || !selects(spec.podSelector ?? {}, subject.labels))
    return false;
  if (spec.policyTypes !== undefined && spec.policyTypes.length > 0)
    return spec.policyTypes.includes(direction === "ingress" ? "Ingress" : "Egress");
  return direction === "ingress" || (spec.egress !== undefined && spec.egress.length > 0);
}

function networkPolicyAllows(ask: Ask, { metadata, spec }: Raw): boolean {
  const rules = (ask.direction === "ingress" ? spec.ingress : spec.egress) ?? [];
  return rules.some((rule: Raw) => {
    const peers = (ask.direction === "ingress" ? rule.from : rule.to) ?? [];
    const ports = rule.ports ?? [];
    return (
      (peers.length === 0 || peers.some((peer: Raw) => peerMatches(ask, peer, metadata.namespace))) &&
      (ports.length === 0 || ports.some((port: Raw) => portMatches(ask.connection, port)))
    );
  });
}

function peerMatches(ask: Ask, { ipBlock, podSelector, namespaceSelector }: Raw, namespace: string): boolean {
  const other = otherOf(ask);
  if (ipBlock !== undefined) {
    if (!("external" in other) && !other.hostNetwork && !ask.world.ipBlockMatchesPods) return false;
    const address = addressIn(ask.world, other);
    return isIn(address, ipBlock.cidr) && !(ipBlock.except ?? []).some((cidr: string) => isIn(address, cidr));
  }
  if ("external" in other || other.hostNetwork) return false;
  if (podSelector !== undefined && !selects(podSelector, other.labels)) return false;
  if (namespaceSelector === undefined) return other.namespace === namespace;
  return selects(namespaceSelector, namespaceLabels(ask, other));
}

function portMatches(connection: Connection, { protocol = "TCP", port, endPort }: Raw): boolean {
  if (protocol !== connection.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === "string") return hasNamedPort(connection, port);
  if (endPort !== undefined) return port <= connection.port && connection.port <= endPort;
  return port === connection.port;
}

/* What all of them ask */

function otherOf({ direction, connection }: Ask): Party {
  return direction === "ingress" ? connection.from : connection.to;
}

function namespaceLabels({ cluster }: Ask, pod: SimulatedPod): Readonly<Record<string, string>> {
  return cluster.namespaces.find(({ name }) => name === pod.namespace)?.labels ?? {};
}

/** Of the destination; a pod of the host network is the node to policies, and a node has no named ports. */
function hasNamedPort({ to, protocol, port }: Connection, wanted: string): boolean {
  if ("external" in to || to.hostNetwork) return false;
  return to.ports.some((each) => each.name === wanted && each.protocol === protocol && each.port === port);
}

function selects({ matchLabels = {}, matchExpressions = [] }: Raw, labels: Readonly<Record<string, string>>): boolean {
  for (const [key, value] of Object.entries(matchLabels)) if (labels[key] !== value) return false;
  return matchExpressions.every(({ key, operator, values }: Raw) => {
    const value = labels[key];
    if (operator === "In") return value !== undefined && values.includes(value);
    if (operator === "NotIn") return value === undefined || !values.includes(value);
    return operator === "Exists" ? value !== undefined : value === undefined;
  });
}

function addressIn({ family, assumed }: World, party: Party): string | undefined {
  return isUnknown(party) ? assumed : addressOf(party, family);
}

function addressOf(party: Party, family: "ipv4" | "ipv6"): string | undefined {
  const addresses = "external" in party ? [party.external] : party.addresses;
  return addresses.find((address) => address.includes(":") === (family === "ipv6"));
}

/** By the text of their bits. */
function isIn(address: string | undefined, cidr: string): boolean {
  const [network = "", length] = cidr.split("/");
  if (address === undefined || address.includes(":") !== network.includes(":")) return false;
  return bitsOf(address).slice(0, Number(length)) === bitsOf(network).slice(0, Number(length));
}

function bitsOf(address: string): string {
  if (!address.includes(":"))
    return address
      .split(".")
      .map((part) => binary(Number(part), 8))
      .join("");
  const [head = "", tail] = address.split("::");
  const [left, right] = [head, tail ?? ""].map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - left!.length - right!.length }, () => "0");
  return [...left!, ...(tail === undefined ? [] : zeros), ...right!]
    .map((group) => binary(parseInt(group, 16), 16))
    .join("");
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, "0");
}
