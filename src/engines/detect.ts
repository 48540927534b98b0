import { type DenyEngine, type Detection, denyEngines, type EngineState } from "../policy/engine.ts";
import type { Canary, EngineEvidence } from "../policy/evidence.ts";
import { type PluginName, pluginsOf } from "../policy/network-plugins.ts";
import type { Enforcement } from "../policy/plan.ts";
import { controllerSwitch, detectors } from "./detect-plugins.ts";
import { enforced, type Judgement, notEnforced, type Plugin, unknown } from "./judgement.ts";

export type DetectOptions = {
  /** What `/np verify-enforcement` saw last. */
  readonly canary?: Canary | undefined;
  /** The nodes of the pods concerned: agents count there alone. Default: they count on all nodes. */
  readonly nodes?: readonly string[];
  /** Configuration's `calico.writeStorage`. Default: false. */
  readonly writesCalicoStorage?: boolean;
  /** Milliseconds since the epoch, which a canary's age is counted from. */
  readonly now: number;
};

/**
 * Which engines a cluster enforces, and how that is known. `configured` speaks of NetworkPolicy alone. What was not read
 * is unknown, never absent; an API that is served without anything that enforces it is not enforced.
 */
export function detectEngines(evidence: EngineEvidence, configured: Enforcement, options: DetectOptions): Detection {
  const plugins = pluginsIn(evidence, options.nodes ?? []);
  const ways = waysOf(evidence, options.writesCalicoStorage ?? false);
  const engines = denyEngines.map((engine): EngineState => {
    const served = isServed(engine, ways);
    const judged = judge(engine, evidence, plugins);
    const known = served || engine === "networkpolicy" ? judged : unserved(engine, evidence);
    const against = engine === "networkpolicy" ? contradiction(evidence, plugins, options.nodes ?? []) : undefined;
    return { engine, served, ...overruled(engine, known, configured, { ...options, against }) };
  });
  return { engines, ...characterOf(plugins), ways };
}

/** Every plugin that some DaemonSet looks like. */
function pluginsIn(evidence: EngineEvidence, nodes: readonly string[]): readonly Plugin[] {
  const agents = evidence.agents.read ? evidence.agents.value : [];
  const names = new Set<PluginName>(agents.flatMap(pluginsOf));
  return [...names].map((name) =>
    detectors[name](evidence, { agents: agents.filter((agent) => pluginsOf(agent).includes(name)), nodes }),
  );
}

/** The kinds that Bulkhead writes, of which one is enough. */
const kindsOf: Record<DenyEngine, readonly string[]> = {
  cilium: ["cilium.io/v2/ciliumnetworkpolicies"],
  calico: ["projectcalico.org/v3/networkpolicies", "projectcalico.org/v3/globalnetworkpolicies"],
  antrea: ["crd.antrea.io/v1beta1/networkpolicies", "crd.antrea.io/v1beta1/clusternetworkpolicies"],
  "cluster-network-policy": ["policy.networking.k8s.io/v1alpha2/clusternetworkpolicies"],
  "admin-network-policy": ["policy.networking.k8s.io/v1alpha1/adminnetworkpolicies"],
  networkpolicy: [],
};

const calicoStorage = "crd.projectcalico.org/v1/globalnetworkpolicies";

function isServed(engine: DenyEngine, { served, writesCalicoStorage }: Detection["ways"]): boolean {
  if (engine === "networkpolicy") return true;
  const kinds = engine === "calico" && writesCalicoStorage ? [...kindsOf.calico, calicoStorage] : kindsOf[engine];
  return kinds.some((kind) => served.includes(kind));
}

function unserved(engine: DenyEngine, { served, unreadGroups }: EngineEvidence): Judgement {
  if (!served.read) return unknown(`Which APIs the cluster serves could not be read: ${served.why}`);
  const broken = unreadGroups.find(({ groupVersion }) =>
    kindsOf[engine].some((kind) => kind.startsWith(`${groupVersion}/`)),
  );
  if (broken !== undefined) return unknown(`The API ${broken.groupVersion} could not be read: ${broken.why}`);
  if (engine === "calico" && served.value.includes(calicoStorage)) {
    return notEnforced(
      "Calico's own API is not served, only its storage (crd.projectcalico.org), which is written only where calico.writeStorage allows it.",
    );
  }
  return notEnforced("The cluster does not serve this API.");
}

/** By all plugins together. Which of two that both give pods their network holds for a pod, nothing here tells. */
function judge(engine: DenyEngine, evidence: EngineEvidence, plugins: readonly Plugin[]): Judgement {
  const { agents } = evidence;
  if (!agents.read) return unknown(`Which network plugins run could not be read: ${agents.why}`);
  if (plugins.length === 0) return noPlugin(engine, evidence);
  const judged = plugins.flatMap(({ judgements }) => judgements[engine] ?? []);
  const wiring = plugins.filter((plugin) => plugin.wires && plugin.name !== "Flannel");
  const isDisputed = wiring.length > 1 && wiring.some(({ judgements }) => judgements[engine]?.state !== "enforced");
  if (isDisputed && judged.some(({ state }) => state !== "not-enforced")) {
    return unknown(`${listed(wiring)} both run: which of them a pod belongs to is not known.`);
  }
  return (
    judged.find(({ state }) => state === "enforced") ??
    judged.find(({ state }) => state === "unknown") ??
    judged[0] ??
    notEnforced(`${listed(plugins)} ${plugins.length === 1 ? "does" : "do"} not enforce this API.`)
  );
}

function noPlugin(engine: DenyEngine, { configMaps }: EngineEvidence): Judgement {
  if (engine === "cilium" || engine === "calico" || engine === "antrea") {
    return notEnforced(
      "The API is served, and no agent that enforces it runs: it is left from an earlier installation.",
    );
  }
  const eks = engine === "networkpolicy" ? controllerSwitch(configMaps["amazon-vpc-cni"]) : undefined;
  if (eks?.state === "enforced") {
    return unknown("EKS' network policy controller is on, and its agents are not seen (Auto Mode).");
  }
  return unknown("No network plugin that Bulkhead knows runs as a DaemonSet.");
}

function listed(plugins: readonly Plugin[]): string {
  return plugins.map(({ name }) => name).join(" and ");
}

/** A canary tells how it was then: agents and switches change. */
const canaryHoldsMs = 24 * 3_600_000;

/**
 * What somebody saw or says counts before what is inferred: pods that were not cut off, though they should have been,
 * then configuration, then pods that were; unless what was read since speaks against these.
 */
function overruled(
  engine: DenyEngine,
  judged: Judgement,
  configured: Enforcement,
  { canary, now, against }: Pick<DetectOptions, "canary" | "now"> & { readonly against: string | undefined },
): Judgement {
  const seen = canary !== undefined && now - canary.at < canaryHoldsMs ? canary : undefined;
  if (seen?.enforced === false) return notEnforced(sawWords(seen, "a NetworkPolicy cut nothing off"));
  if (engine !== "networkpolicy") return judged;
  if (configured !== "unknown") return { state: configured, because: "The configuration says so." };
  if (seen === undefined) return judged;
  const words = sawWords(seen, "NetworkPolicy is enforced");
  return against === undefined ? enforced(words) : unknown(`${words} Now ${against}`);
}

/**
 * What makes it doubtful that a canary which was cut off earlier would be so now, where this pod runs: an agent that is
 * not ready there takes no new policies. Flannel enforces nothing anywhere, so that something else must have.
 */
function contradiction(
  { agents }: EngineEvidence,
  plugins: readonly Plugin[],
  nodes: readonly string[],
): string | undefined {
  const off = plugins.find(({ name, judgements: { networkpolicy } }) => {
    return name !== "Flannel" && networkpolicy?.state === "not-enforced";
  });
  if (off !== undefined) return off.judgements.networkpolicy?.because;
  const enforcing = (agents.read ? agents.value : []).filter((agent) =>
    pluginsOf(agent).some((of) => of !== "Flannel"),
  );
  const ready = new Set(enforcing.flatMap(({ readyOn }) => (readyOn.read ? readyOn.value : nodes)));
  const missing = enforcing.length === 0 ? undefined : nodes.find((node) => !ready.has(node));
  return missing === undefined ? undefined : `no agent of ${listed(plugins)} is ready on ${missing}.`;
}

function sawWords({ at, pools }: Canary, what: string): string {
  const when = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  return `/np verify-enforcement saw at ${when} UTC that ${what}${pools.length === 0 ? "" : ` in ${pools.join(", ")}`}.`;
}

/** Of the one plugin that may enforce; where several may, nothing is claimed of any. */
function characterOf(plugins: readonly Plugin[]): Pick<Detection, "plugin" | "openConnections" | "simulated"> {
  const may = plugins.filter(({ judgements }) =>
    Object.values(judgements).some(({ state }) => state !== "not-enforced"),
  );
  const [only, ...others] = may;
  if (only === undefined || others.length > 0) {
    return {
      plugin: undefined,
      openConnections: "unknown",
      simulated: { engine: undefined, ipBlockMatchesPods: "unknown" },
    };
  }
  return { plugin: only.name, openConnections: only.openConnections, simulated: only.simulated };
}

function waysOf({ served, calicoTiers }: EngineEvidence, writesCalicoStorage: boolean): Detection["ways"] {
  return {
    served: served.read ? served.value : [],
    calicoTiers: calicoTiers.read ? calicoTiers.value : [],
    writesCalicoStorage,
  };
}
