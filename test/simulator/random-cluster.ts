import fc from "fast-check";
import type { WireObject } from "../../src/simulator/model.ts";
import type { Settings, SimulatedPod, Snapshot } from "../../src/simulator/snapshot.ts";
import type { Connection } from "./naive.ts";

/** Few names, labels, values and ports, so that selectors select and rules meet. */

export type Case = {
  readonly cluster: Snapshot;
  readonly connections: readonly Connection[];
  readonly ipBlockMatchesPods: Settings["ipBlockMatchesPods"];
};

const namespaceNames = ["a", "b", "c", "d"] as const;
const protocols = ["TCP", "UDP", "SCTP"] as const;
export const externals = ["192.0.2.1", "10.0.0.6", "2001:db8::1", "fd00::6"];

const cidrs: Readonly<Record<string, readonly string[]>> = {
  "0.0.0.0/0": ["10.0.0.0/8", "192.0.2.0/24", "10.0.0.4/30"],
  "10.0.0.0/29": ["10.0.0.4/30", "10.0.0.2/32", "10.0.0.3/32"],
  "10.0.0.4/30": ["10.0.0.5/32"],
  "192.0.0.0/8": ["192.168.0.0/16", "192.0.2.1/32"],
  "::/0": ["fd00::/8", "2001:db8::/32"],
  "fd00::/125": ["fd00::4/126", "fd00::1/128"],
  "fd00:0:0:0:0:0:0:4/126": ["fd00::6/128"],
};

/** One of each part into which these ranges cut IPv4. */
export const anywhere = [
  "10.0.0.0",
  "10.0.0.2",
  "10.0.0.3",
  "10.0.0.4",
  "10.0.0.5",
  "10.0.0.8",
  "192.0.2.0",
  "192.0.2.1",
  "192.1.0.0",
  "192.168.0.0",
  "198.51.100.1",
];

/** The first is taken most of the time. */
function mostly<T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>, weight = 4): fc.Arbitrary<T> {
  return fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: rare });
}

const one = fc.constantFrom;
const labelPairs = fc.record({ app: one("x", "y"), tier: one("1", "2") }, { requiredKeys: [] });
const portNumber = one(80, 81, 82, 443);

const containerPort = fc.record({
  name: one("web", "dns"),
  protocol: mostly<(typeof protocols)[number]>(one("TCP"), one("UDP", "SCTP")),
  port: portNumber,
});

type Draft = {
  namespace: string;
  labels: Record<string, string>;
  ports: SimulatedPod["ports"][number][];
  stack: "ipv4" | "ipv6" | "dual" | "unknown";
  node: string | undefined;
  hostNetwork: boolean;
};

const usualNamespace = one<string>("a", "a", "a", "b", "b", "c", "d");

const draft: fc.Arbitrary<Draft> = fc.record({
  namespace: usualNamespace,
  labels: labelPairs as fc.Arbitrary<Record<string, string>>,
  ports: fc.uniqueArray(containerPort, { maxLength: 2, selector: ({ name, protocol }) => `${name} ${protocol}` }),
  stack: one("ipv4", "ipv4", "ipv4", "ipv6", "dual", "unknown"),
  node: one("n1", "n2", undefined),
  hostNetwork: mostly(one(false), one(true), 9),
});

function podOf({ stack, hostNetwork, ...rest }: Draft, index: number): SimulatedPod {
  const [v4, v6] = hostNetwork ? [`192.168.0.${index}`, `fd01::${index}`] : [`10.0.0.${index}`, `fd00::${index}`];
  const name = `p${index}`;
  return {
    ...rest,
    name,
    workload: { namespace: rest.namespace, name, kind: "Pod" },
    serviceAccount: "default",
    addresses: { ipv4: [v4], ipv6: [v6], dual: [v4, v6], unknown: [] }[stack],
    hostNetwork,
  };
}

const requirement = fc.oneof(
  fc.record({
    key: one("app", "tier"),
    operator: one("In", "NotIn"),
    values: fc.uniqueArray(one("x", "y", "1"), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key: one("app", "tier"), operator: one("Exists", "DoesNotExist") }),
);

export const podSelector = fc.oneof(
  { weight: 3, arbitrary: one({}) },
  { weight: 3, arbitrary: fc.record({ matchLabels: labelPairs }) },
  { weight: 2, arbitrary: fc.record({ matchExpressions: fc.array(requirement, { minLength: 1, maxLength: 2 }) }) },
);

const nameKey = "kubernetes.io/metadata.name";
const namespaceSelector = fc.oneof(
  one({}),
  one(...namespaceNames).map((name) => ({ matchLabels: { [nameKey]: name } })),
  fc.record({ matchLabels: fc.record({ team: one("red", "blue") }) }),
  fc
    .tuple(one("In", "NotIn"), fc.uniqueArray(one(...namespaceNames), { minLength: 1, maxLength: 3 }))
    .map(([operator, values]) => ({ matchExpressions: [{ key: nameKey, operator, values }] })),
  one("Exists", "DoesNotExist").map((operator) => ({ matchExpressions: [{ key: "team", operator }] })),
);

/** Absent, empty or filled: the three differ. */
function list<T>(item: fc.Arbitrary<T>, most: number): fc.Arbitrary<readonly T[] | undefined> {
  return mostly<readonly T[] | undefined>(
    fc.array(item, { minLength: 1, maxLength: most }),
    one<readonly T[] | undefined>([], undefined),
  );
}

const ipBlock = one(...Object.entries(cidrs)).chain(([cidr, holes]) =>
  fc.record({ cidr: one(cidr), except: fc.uniqueArray(one(...holes), { maxLength: 2 }) }, { requiredKeys: ["cidr"] }),
);

export const networkPolicyPeer = fc.oneof(
  fc.record({ podSelector }),
  fc.record({ namespaceSelector }),
  fc.record({ podSelector, namespaceSelector }),
  fc.record({ ipBlock }),
);

export const networkPolicyPort = fc.oneof(
  fc.record({ protocol: one(...protocols), port: portNumber }, { requiredKeys: ["port"] }),
  fc.record({ protocol: one(...protocols), port: one("web", "dns") }, { requiredKeys: ["port"] }),
  fc.record({ protocol: one(...protocols), port: one(80, 81), endPort: one(81, 82, 443) }, { requiredKeys: ["port"] }),
  fc.record({ protocol: one(...protocols) }, { requiredKeys: [] }),
);

/** Members that are undefined are absent. */
function clean<T>(object: T): T {
  return JSON.parse(JSON.stringify(object)) as T;
}

const networkPolicy = fc
  .record({
    namespace: usualNamespace,
    podSelector: mostly<object | undefined>(podSelector, one(undefined)),
    policyTypes: one(undefined, undefined, [], ["Ingress"], ["Egress"], ["Ingress", "Egress"]),
    ingress: list(fc.record({ from: list(networkPolicyPeer, 2), ports: list(networkPolicyPort, 2) }), 2),
    egress: list(fc.record({ to: list(networkPolicyPeer, 2), ports: list(networkPolicyPort, 2) }), 2),
  })
  .map(({ namespace, ...spec }) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "np", namespace },
    spec,
  }));

const podPeer = fc.oneof(
  fc.record({ namespaces: namespaceSelector }),
  fc.record({ pods: fc.record({ namespaceSelector, podSelector }) }),
);
const networksPeer = fc.record({
  networks: fc.uniqueArray(one(...Object.keys(cidrs)), { minLength: 1, maxLength: 2 }),
});
const anyPeer = mostly<object>(podPeer, networksPeer, 2);
const priority = one(0, 5, 5, 5);

const v1Port = fc.oneof(
  fc.record({ portNumber: fc.record({ protocol: one(...protocols), port: portNumber }, { requiredKeys: ["port"] }) }),
  fc.record({
    portRange: fc.record(
      { protocol: one(...protocols), start: one(80, 81), end: one(81, 443) },
      { requiredKeys: ["start", "end"] },
    ),
  }),
);
const v1Named = fc.record({ namedPort: one("web", "dns") });

const destinationPort = fc.oneof(
  fc.record({ number: portNumber }),
  fc.record({ range: fc.record({ start: one(80), end: one(81, 443) }) }),
);
const v2Port = fc.oneof(...["tcp", "udp", "sctp"].map((key) => fc.record({ [key]: fc.record({ destinationPort }) })));
const v2Named = fc.record({ destinationNamedPort: one("web", "dns") });

type TierShape = {
  readonly actions: readonly string[];
  readonly ports: string;
  readonly port: fc.Arbitrary<object>;
  readonly named: fc.Arbitrary<object>;
};

const v1: TierShape = { actions: ["Allow", "Deny", "Pass"], ports: "ports", port: v1Port, named: v1Named };
const v1Baseline: TierShape = { ...v1, actions: ["Allow", "Deny"] };
const v2: TierShape = { actions: ["Accept", "Deny", "Pass"], ports: "protocols", port: v2Port, named: v2Named };

/** Rules that ask for a named port reach only pods; the API refuses them otherwise. */
function rules(shape: TierShape, direction: "from" | "to"): fc.Arbitrary<unknown> {
  const rule = (peers: fc.Arbitrary<object>, port: fc.Arbitrary<object>) =>
    fc.record(
      {
        action: one(...shape.actions),
        [direction]: fc.array(peers, { minLength: 1, maxLength: 2 }),
        [shape.ports]: fc.array(port, { minLength: 1, maxLength: 2 }),
      },
      { requiredKeys: ["action", direction] },
    );
  const withNames = rule(podPeer, fc.oneof(shape.port, shape.named));
  const reach = direction === "from" ? withNames : fc.oneof(withNames, rule(anyPeer, shape.port));
  return fc.array(reach, { minLength: 1, maxLength: 3 });
}

function tierPolicy(version: string, kind: string, shape: TierShape, more: Record<string, fc.Arbitrary<unknown>>) {
  return fc
    .record({
      subject: mostly<object>(one({ namespaces: {} }), podPeer, 1),
      ingress: rules(shape, "from"),
      egress: rules(shape, "to"),
      ...more,
    })
    .map((spec) => ({
      apiVersion: `policy.networking.k8s.io/${version}`,
      kind,
      metadata: { name: kind === "BaselineAdminNetworkPolicy" ? "default" : "tier" },
      spec,
    }));
}

const adminPolicy = fc.oneof(
  tierPolicy("v1alpha1", "AdminNetworkPolicy", v1, { priority }),
  tierPolicy("v1alpha2", "ClusterNetworkPolicy", v2, { priority, tier: one("Admin") }),
);

/** Of one version: nothing says how the two mix. */
const baselinePolicies = fc.oneof(
  one([]),
  fc.array(tierPolicy("v1alpha1", "BaselineAdminNetworkPolicy", v1Baseline, {}), { minLength: 1, maxLength: 1 }),
  fc.array(tierPolicy("v1alpha2", "ClusterNetworkPolicy", v2, { priority, tier: one("Baseline") }), {
    minLength: 1,
    maxLength: 2,
  }),
);

/** One NetworkPolicy more for any cluster. */
export const oneMore: fc.Arbitrary<WireObject> = networkPolicy.map((object) => named([object])[0]!);

const policies: fc.Arbitrary<readonly WireObject[]> = fc
  .tuple(fc.array(networkPolicy, { maxLength: 5 }), fc.array(adminPolicy, { maxLength: 3 }), baselinePolicies)
  .map((parts) => named(parts.flat()));

function named(objects: readonly { kind: string; metadata: { name: string; namespace?: string } }[]): WireObject[] {
  return objects.map((object, index) => {
    const name = object.metadata.name === "default" ? "default" : `${object.metadata.name}-${index}`;
    return clean({ apiVersion: "", ...object, metadata: { ...object.metadata, name } });
  });
}

const namespaces = fc
  .tuple(...namespaceNames.map(() => fc.record({ team: one("red", "blue") }, { requiredKeys: [] })))
  .map((labels) => namespaceNames.map((name, index) => ({ name, labels: { ...labels[index], [nameKey]: name } })));

const pods = fc.array(draft, { minLength: 3, maxLength: 8 }).map((drafts) => drafts.map(podOf));

const randomCluster: fc.Arbitrary<Snapshot> = fc
  .record({ namespaces: namespaces as fc.Arbitrary<Snapshot["namespaces"]>, pods, policies })
  .map((parts) => ({ ...parts, services: [] }));

/** From one party to another; never between two externals, nor between ends without a common family. */
function connectionsOf(cluster: Snapshot, picks: readonly Pick[]): readonly Connection[] {
  return picks.flatMap(({ from, to, protocol, port }) => {
    const destined = typeof to === "number" && typeof from === "number" ? from + to : to;
    const [source, destination] = [partyOf(cluster, from), partyOf(cluster, destined)];
    return isPossible(source, destination) ? [{ from: source, to: destination, protocol, port }] : [];
  });
}

/** Pods are counted around, the destination from the source on: 0 is itself. An external is named. */
type Pick = { from: number | string; to: number | string; protocol: string; port: number };

const picks: fc.Arbitrary<readonly Pick[]> = fc.array(
  fc.record({
    from: mostly<number | string>(fc.nat(7), one(...externals), 7),
    to: mostly<number | string>(one(0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7), one(...externals), 7),
    protocol: mostly<string>(one("TCP"), one("UDP", "SCTP"), 3),
    port: one(80, 81, 82, 443, 444),
  }),
  { minLength: 8, maxLength: 8 },
);

function partyOf({ pods: all }: Snapshot, end: number | string): Connection["from"] {
  return typeof end === "string" ? { external: end } : all[end % all.length]!;
}

export function isPossible(from: Connection["from"], to: Connection["to"]): boolean {
  if ("external" in from && "external" in to) return false;
  const families = [from, to].map((party) => {
    if ("external" in party) return [party.external.includes(":")];
    return party.addresses.length === 0 ? [false] : party.addresses.map((address) => address.includes(":"));
  });
  return families[0]!.some((family) => families[1]!.includes(family));
}

export const randomCase: fc.Arbitrary<Case> = fc
  .record({
    cluster: randomCluster,
    picks,
    ipBlockMatchesPods: one<Settings["ipBlockMatchesPods"]>(true, false, "unknown"),
  })
  .map(({ cluster, picks: picked, ipBlockMatchesPods }) => ({
    cluster,
    connections: connectionsOf(cluster, picked),
    ipBlockMatchesPods,
  }));
