import fc from "fast-check";
import type { Denial } from "../../src/engines/denial.ts";
import { deniesOf } from "../../src/engines/engines.ts";
import { denyByNetworkPolicy } from "../../src/engines/networkpolicy.ts";
import type { Endpoint } from "../../src/policy/endpoint.ts";
import type { DenyEngine, Ways } from "../../src/policy/engine.ts";
import { selects } from "../../src/policy/selector.ts";
import { compile } from "../../src/simulator/compile.ts";
import { type DirectionAnswer, decide, type Verdict } from "../../src/simulator/decide.ts";
import type { Settings } from "../../src/simulator/snapshot.ts";
import { trafficOf } from "../simulator/agreement.ts";
import type { Connection, Party } from "../simulator/naive.ts";
import {
  type Case,
  externals,
  isPossible,
  networkPolicyPeer,
  networkPolicyPort,
  podSelector,
  randomCase,
} from "../simulator/random-cluster.ts";

export const stronger = ["cilium", "calico", "antrea", "cluster-network-policy", "admin-network-policy"] as const;

export const noWays: Ways = {
  served: [],
  calicoTiers: [{ name: "default", order: 1_000_000 }],
  writesCalicoStorage: false,
};

type RandomDenial = Omit<Case, "connections"> & { readonly denial: Denial };

/** So that nothing is denied there by anybody else. */
const allowAll = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "allow-all", namespace: "a" },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] },
};

/** A random cluster, in namespace `a` of which some pods are denied everything but some endpoints. */
export const randomDenial: fc.Arbitrary<RandomDenial> = fc
  .record({
    each: randomCase,
    isOpen: fc.boolean(),
    subject: podSelector as fc.Arbitrary<Denial["subject"]>,
    endpoints: fc.array(
      fc.record({
        direction: fc.constantFrom("ingress", "egress"),
        peer: networkPolicyPeer,
        ports: fc.array(networkPolicyPort, { maxLength: 2 }),
      }),
      { maxLength: 4 },
    ),
  })
  .map(({ each: { cluster, ipBlockMatchesPods }, isOpen, subject, endpoints }) => ({
    cluster: isOpen ? { ...cluster, policies: [...cluster.policies, allowAll] } : cluster,
    ipBlockMatchesPods,
    denial: {
      operation: "q-1",
      namespace: "a",
      subject,
      endpoints: endpoints.map((endpoint) => ({ name: "vault", purpose: "forensics", ...endpoint }) as Endpoint),
      labels: {},
      annotations: {},
    },
  }));

/**
 * Where the engine's objects beside the NetworkPolicy do not do what the NetworkPolicy does alone in a cluster without any
 * other policy: a line for each direction of a connection, in words. `seen` counts those that were held against it.
 */
export function leaks(
  engine: (typeof stronger)[number],
  { cluster, ipBlockMatchesPods, denial }: RandomDenial,
  seen: { denied: number; open: number },
): readonly string[] {
  const own = denyByNetworkPolicy(denial);
  const { objects, notes } = deniesOf(engine, denial, noWays);
  const settings = settingsOf(engine, ipBlockMatchesPods);
  const ideal = compile({ ...cluster, policies: [{ ...own }] }, settings);
  const real = compile({ ...cluster, policies: [...cluster.policies, ...[own, ...objects].map(wire)] }, settings);
  const unreadable = real.problems.map((problem) => JSON.stringify(problem));
  const differing = connectionsOf(cluster, denial).flatMap((connection) => {
    const [wanted, found] = [ideal, real].map((simulator) => decide(simulator, trafficOf(connection)));
    return (["ingress", "egress"] as const).flatMap((direction) => {
      if (!isSubject(denial, direction === "egress" ? connection.from : connection.to)) return [];
      const [should, is] = [wanted![direction], found![direction]];
      if (should.verdict === "denied") seen.denied += 1;
      if (should.verdict === "allowed") seen.open += 1;
      if (isOutranked(engine, is) || (direction === "ingress" && isBeyond(engine, connection.from))) return [];
      const wrong = differs(should.verdict, is.verdict, notes.length > 0);
      return wrong
        ? [`${direction} is ${is.verdict}, not ${should.verdict}: ${JSON.stringify({ connection, is })}`]
        : [];
    });
  });
  return [...unreadable, ...differing];
}

const ports = [80, 81, 82, 443, 444].map((port) => ({ protocol: "TCP", port }));
const asked = [...ports, { protocol: "UDP", port: 80 }, { protocol: "UDP", port: 82 }, { protocol: "SCTP", port: 81 }];

/** All of the first two subjects with everybody. */
function connectionsOf({ pods }: Case["cluster"], denial: Denial): readonly Connection[] {
  const parties: readonly Party[] = [...pods, ...[...externals, "198.51.100.1"].map((external) => ({ external }))];
  const subjects = pods.filter((pod) => isSubject(denial, pod)).slice(0, 2);
  const pairs = subjects.flatMap((subject) =>
    parties
      .filter((party) => isPossible(subject, party))
      .flatMap((party) => [
        { from: subject, to: party },
        { from: party, to: subject },
      ]),
  );
  return pairs.flatMap((pair) => asked.map((port) => ({ ...pair, ...port })));
}

/** What is denied must be; what is allowed must be too, unless the engine told of something that it denies more. */
function differs(should: Verdict, is: Verdict, mayDenyMore: boolean): boolean {
  if (should === is || should === "undecided") return false;
  return should === "denied" || !mayDenyMore;
}

function wire(object: { apiVersion: string; kind: string; metadata: { name: string; namespace?: string } }) {
  return { ...object };
}

/** Calico and Antrea hold packets against addresses, whose ever they are. */
export function settingsOf(engine: DenyEngine, ipBlockMatchesPods: Settings["ipBlockMatchesPods"]): Settings {
  if (engine === "calico" || engine === "antrea") return { engine, ipBlockMatchesPods: true };
  return { engine: engine === "cilium" ? engine : undefined, ipBlockMatchesPods };
}

function isSubject({ subject }: Denial, party: Connection["from"]): boolean {
  return "namespace" in party && party.namespace === "a" && !party.hostNetwork && selects(subject, party.labels);
}

/** Admin policies come before those of Cilium; one of the same priority as ours may come before it. */
function isOutranked(engine: DenyEngine, { because }: DirectionAnswer): boolean {
  if (engine === "calico" || engine === "antrea") return false;
  return because.some(
    (reason) =>
      reason.kind === "rule" &&
      /^(Admin|Cluster)NetworkPolicy/.test(reason.policy.kind) &&
      reason.policy.name !== "bulkhead-q-1",
  );
}

/** What AdminNetworkPolicy and ClusterNetworkPolicy do not know on ingress: what is no pod. */
function isBeyond(engine: DenyEngine, from: Connection["from"]): boolean {
  if (engine !== "admin-network-policy" && engine !== "cluster-network-policy") return false;
  return "external" in from || from.hostNetwork;
}
