import { detectEngines } from "../engines/detect.ts";
import type { Freshness } from "../kubernetes/cluster.ts";
import type { DenyEngine, Detection, EngineState } from "../policy/engine.ts";
import type { Settings } from "../simulator/snapshot.ts";
import { clusterOf, type Services } from "./services.ts";

/**
 * Which engines the cluster enforces, as it is known now. `nodes` are those of the pods concerned, where only the agents
 * there count. Never rejects for what could not be read.
 */
export async function detectionOf(
  services: Services,
  name: string,
  from: Freshness,
  nodes: readonly string[] = [],
): Promise<Detection> {
  const { cluster, enforcement } = clusterOf(services, name);
  const [evidence, canary] = await Promise.all([
    cluster.engineEvidence(from),
    // Without Redis it is as if nobody had tried.
    services.canaries?.canaryOf(name).catch(() => undefined),
  ]);
  const { writesCalicoStorage } = services.settings;
  return detectEngines(evidence, enforcement, { canary, nodes, writesCalicoStorage, now: services.now() });
}

/** The state of one engine; of NetworkPolicy: whether anything enforces it. */
export function stateOf({ engines }: Detection, engine: DenyEngine): EngineState {
  const state = engines.find((each) => each.engine === engine);
  if (state === undefined) throw new Error(`nothing is known of engine ${engine}`);
  return state;
}

/**
 * By which ways a containment is judged: what lies in an API that is not known to be enforced holds nothing back for sure.
 * Calico without its own API enforces what is in its storage all the same.
 */
export function judgedBy({ simulated, engines }: Pick<Detection, "simulated" | "engines">): Settings {
  const doubtful = engines.flatMap(({ engine, served, state }) => {
    if (engine === "networkpolicy" || state === "enforced") return [];
    return served || engine !== simulated.engine ? [engine] : [];
  });
  return { ...simulated, doubtful };
}

/** Which plugin enforces, and how it reads what engines read differently. */
export function pluginWords({ plugin, simulated }: Detection): string {
  if (plugin === undefined) {
    return "Which network plugin enforces is not known: where engines differ, both readings are evaluated.";
  }
  switch (simulated.ipBlockMatchesPods) {
    case true:
      return `${plugin} enforces: there ipBlock matches pods by their addresses, too.`;
    case false:
      return `${plugin} enforces: there ipBlock does not match pods (policy-cidr-match-mode).`;
    case "unknown":
      return `${plugin} enforces. Whether ipBlock matches pods there is not known: both readings are evaluated.`;
  }
}

/** What is enforced and how that is known, the strongest first; then the others in one line each that there is any of. */
export function detectionLines(detection: Detection): readonly string[] {
  const { engines, plugin } = detection;
  const served = engines.filter((each) => each.served);
  const [strongest, ...weaker] = served.filter(({ state }) => state === "enforced");
  const first =
    strongest === undefined
      ? `no policy engine is known to be enforced: ${stateOf(detection, "networkpolicy").because}`
      : `strongest policy engine: ${strongest.engine}${plugin === undefined ? "" : ` (${plugin})`}. ${strongest.because}`;
  const open = served.filter(({ state, engine }) => state === "unknown" && (strongest || engine !== "networkpolicy"));
  const off = served.filter(
    ({ state, engine }) => state === "not-enforced" && (strongest || engine !== "networkpolicy"),
  );
  return [
    first,
    ...(weaker.length === 0 ? [] : [`enforced too: ${weaker.map(({ engine }) => engine).join(", ")}`]),
    ...(open.length === 0 ? [] : [`not known: ${open.map(inWords).join("; ")}`]),
    ...(off.length === 0 ? [] : [`served and not enforced: ${off.map(inWords).join("; ")}`]),
  ];
}

function inWords({ engine, because }: EngineState): string {
  return `${engine} (${because.replace(/\.$/, "")})`;
}
