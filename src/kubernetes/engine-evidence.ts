import type {
  Agent,
  CalicoTier,
  CiliumNodeConfig,
  ConfigMapData,
  EngineEvidence,
  Reading,
} from "../policy/evidence.ts";
import { listAgents, parseAntreaAgent } from "./agents.ts";
import type { Freshness } from "./cluster.ts";
import { readConfigMap } from "./config-map.ts";
import type { Connection } from "./connection.ts";
import { KubernetesError } from "./failure.ts";
import { listAll } from "./list.ts";
import type { RawObject } from "./parse.ts";
import { collectionPath, type Resource } from "./resources.ts";
import { attempt, type Served, servedKinds } from "./served-kinds.ts";

/** How long what was read counts for what is shown and written; where something could not be read, and may be soon. */
const heldMs = 60_000;
const heldUnreadMs = 5_000;
const readWithinMs = 10_000;

/**
 * What tells which policy engines the cluster enforces. Read once for all who ask at the same time; `fresh` begins after
 * it was asked for. Never rejects: what could not be read says so.
 */
export function createEngineEvidence(
  connection: Connection,
  now: () => number,
): (from: Freshness) => Promise<EngineEvidence> {
  let last: EngineEvidence | undefined;
  let current: Promise<EngineEvidence> | undefined;
  const read = (): Promise<EngineEvidence> => {
    current ??= readEvidence(connection, now()).then((evidence) => {
      current = undefined;
      last = evidence;
      return evidence;
    });
    return current;
  };
  return async (from) => {
    if (from === "fresh") await current;
    else if (last !== undefined && now() - last.readAt < (isWhole(last) ? heldMs : heldUnreadMs)) return last;
    return read();
  };
}

function isWhole(evidence: EngineEvidence): boolean {
  const { served, unreadGroups, agents, configMaps, ciliumNodeConfigs, calicoTiers, antreaAgents } = evidence;
  const readings = [served, agents, ciliumNodeConfigs, calicoTiers, antreaAgents, ...Object.values(configMaps)];
  return unreadGroups.length === 0 && readings.every(({ read }) => read);
}

async function readEvidence(connection: Connection, readAt: number): Promise<EngineEvidence> {
  const signal = AbortSignal.timeout(readWithinMs);
  const [served, agents] = await Promise.all([
    servedKinds(connection, signal),
    attempt(() => listAgents(connection, signal)),
  ]);
  const running = agents.read ? agents.value : [];
  const [configMaps, ciliumNodeConfigs, calicoTiers, antreaAgents] = await Promise.all([
    readConfigMaps(connection, running),
    attempt(async () => (isNamed(running, "cilium") ? nodeConfigsOf(connection, signal) : [])),
    attempt(() => tiersOf(connection, served, signal)),
    attempt(async () =>
      isNamed(running, "antrea-agent")
        ? (await listAll(connection, collectionPath(antreaAgentInfos), parseAntreaAgent, { signal })).items
        : [],
    ),
  ]);
  const { why } = served;
  return {
    readAt,
    served: why === undefined ? { read: true, value: served.kinds.map(({ id }) => id) } : { read: false, why },
    unreadGroups: served.unread,
    agents,
    configMaps,
    ciliumNodeConfigs,
    calicoTiers,
    antreaAgents,
  };
}

const antreaAgentInfos: Resource = { group: "crd.antrea.io", version: "v1beta1", plural: "antreaagentinfos" };

function isNamed(agents: readonly Agent[], name: string): boolean {
  return agents.some((agent) => agent.name === name);
}

/** What switches enforcement, in the namespace of the agent that goes by it. Only by these names: see deploy/base. */
const switches: readonly { readonly configMap: string; readonly agents: readonly string[] }[] = [
  { configMap: "cilium-config", agents: ["cilium", "anetd"] },
  { configMap: "antrea-config", agents: ["antrea-agent"] },
  { configMap: "amazon-vpc-cni", agents: ["aws-node"] },
  { configMap: "ovnkube-config", agents: ["ovnkube-node"] },
];

/** The name may bear a suffix where the agent mounts it (Antrea's older manifests): it is kept under the plain one. */
async function readConfigMaps(
  connection: Connection,
  agents: readonly Agent[],
): Promise<Record<string, Reading<ConfigMapData | undefined>>> {
  const found = await Promise.all(
    switches.map(async ({ configMap, agents: names }) => {
      const agent = agents.find(({ name }) => names.includes(name));
      // Where EKS runs the agent outside of the cluster (Auto Mode) this one is there without a DaemonSet.
      if (agent === undefined && configMap !== "amazon-vpc-cni") return undefined;
      const { namespace = "kube-system", mounts = [] } = agent ?? {};
      const name = mounts.find((each) => each === configMap || each.startsWith(`${configMap}-`)) ?? configMap;
      return [configMap, await attempt(() => readConfigMap(connection, namespace, name))] as const;
    }),
  );
  return Object.fromEntries(found.filter((each) => each !== undefined));
}

/** In whichever version is served; older releases of Cilium have none. */
async function nodeConfigsOf(connection: Connection, signal: AbortSignal): Promise<readonly CiliumNodeConfig[]> {
  for (const version of ["v2", "v2alpha1"]) {
    const resource = { group: "cilium.io", version, plural: "ciliumnodeconfigs" };
    try {
      return (await listAll(connection, collectionPath(resource), parseNodeConfig, { signal })).items;
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.kind !== "not-found") throw error;
    }
  }
  return [];
}

function parseNodeConfig(raw: unknown): CiliumNodeConfig {
  const { metadata = {}, spec = {} } = raw as RawObject<{ readonly defaults?: ConfigMapData | null }>;
  return { name: metadata.name ?? "", defaults: spec.defaults ?? {} };
}

/** Where Calico stores them, else through its own API: as policy-apis.ts, and for the same reason. */
async function tiersOf(connection: Connection, { kinds }: Served, signal: AbortSignal): Promise<readonly CalicoTier[]> {
  const own = ["crd.projectcalico.org", "projectcalico.org"];
  const [tiers] = own.flatMap((group) => kinds.filter((kind) => kind.group === group && kind.plural === "tiers"));
  return tiers === undefined ? [] : (await listAll(connection, collectionPath(tiers), parseTier, { signal })).items;
}

function parseTier(raw: unknown): CalicoTier {
  const { metadata = {}, spec = {} } = raw as RawObject<{ readonly order?: number | null }>;
  return { name: metadata.name ?? "", order: spec.order ?? undefined };
}
