import { parse } from "yaml";
import type { AntreaAgent, ConfigMapData, EngineEvidence, Reading } from "../policy/evidence.ts";
import { all, enforced, type Judgement, notEnforced, type Plugin, running, type Seen, unknown } from "./judgement.ts";

/** Antrea (facts: network-policy §2.1, §2.2, §2.5): agents that are healthy and heard of, and its feature gates. */
export function detectAntrea(evidence: EngineEvidence, seen: Seen): Plugin {
  const base = all(running("Antrea", seen), health(evidence, seen.nodes));
  const gates = gatesOf(evidence.configMaps["antrea-config"]);
  const antreaPolicy = gated(gates, "AntreaPolicy", "AllBeta", true);
  return {
    name: "Antrea",
    wires: true,
    judgements: {
      antrea: all(antreaPolicy, base),
      networkpolicy: base,
      "cluster-network-policy": all(antreaPolicy, gated(gates, "ClusterNetworkPolicy", "AllAlpha", false), base),
      "admin-network-policy": all(antreaPolicy, gated(gates, "AdminNetworkPolicy", undefined, false), base),
    },
    openConnections: "survive",
    simulated: { engine: "antrea", ipBlockMatchesPods: true },
  };
}

/** An agent writes its heartbeat every 60 s; three missed ones are no delay any more. */
const heartbeatMs = 180_000;

const mustBeTrue = ["ControllerConnectionUp", "OVSDBConnectionUp", "OpenflowConnectionUp"];

function health({ antreaAgents, readAt }: EngineEvidence, nodes: readonly string[]): Judgement {
  if (!antreaAgents.read) return unknown(`Whether Antrea's agents are healthy could not be read: ${antreaAgents.why}`);
  const asked = antreaAgents.value.filter(({ node }) => nodes.length === 0 || nodes.includes(node));
  const silent = nodes.filter((node) => !asked.some((agent) => agent.node === node));
  if (asked.length === 0 || silent.length > 0) {
    return unknown(`No AntreaAgentInfo tells of ${silent.length === 0 ? "any node" : silent.slice(0, 3).join(", ")}.`);
  }
  const ill = asked.map((agent) => illness(agent, readAt)).find((each) => each !== undefined);
  return ill === undefined
    ? enforced("Antrea's agents are ready, connected to their controller, and were heard of within three minutes.")
    : unknown(ill);
}

function illness({ node, conditions }: AntreaAgent, now: number): string | undefined {
  const alive = conditions.find(({ type }) => type === "AgentHealthy");
  if (alive === undefined || !(now - alive.heartbeatAt <= heartbeatMs)) {
    return `Antrea's agent on node ${node} was not heard of for three minutes.`;
  }
  const down = mustBeTrue.find((wanted) => conditions.some(({ type, status }) => type === wanted && status !== "True"));
  return down === undefined ? undefined : `Antrea's agent on node ${node} is not well: ${down} is not True.`;
}

type Gates = Readonly<Record<string, unknown>>;

/** Those of the controller and of the agents: a feature of both must be on in both. */
function gatesOf(reading: Reading<ConfigMapData | undefined> | undefined): Reading<readonly Gates[]> {
  if (reading === undefined) return { read: false, why: "it was not looked for" };
  if (!reading.read) return reading;
  const texts = ["antrea-controller.conf", "antrea-agent.conf"].map((key) => reading.value?.[key]);
  try {
    return { read: true, value: texts.flatMap((text) => (text === undefined ? [] : [featureGates(text)])) };
  } catch {
    return { read: false, why: "it is no YAML" };
  }
}

function featureGates(text: string): Gates {
  const config: unknown = parse(text);
  const gates = typeof config === "object" && config !== null && "featureGates" in config ? config.featureGates : {};
  return typeof gates === "object" && gates !== null ? { ...gates } : {};
}

/** `group` switches all gates of one maturity that are not named themselves. */
function gated(
  gates: Reading<readonly Gates[]>,
  name: string,
  group: string | undefined,
  byDefault: boolean,
): Judgement {
  if (!gates.read) return unknown(`Antrea's gate ${name} could not be read in antrea-config: ${gates.why}`);
  if (gates.value.length === 0) return unknown(`Antrea's gate ${name} is not known: antrea-config does not tell.`);
  const isOn = (of: Gates): boolean => {
    const value = of[name] ?? (group === undefined ? undefined : of[group]) ?? byDefault;
    return value === true;
  };
  // A gate of the controller alone is not in the agent's file, which must not count as off.
  const concerned = byDefault ? gates.value : gates.value.slice(0, 1);
  return concerned.every(isOn)
    ? enforced(`Antrea's gate ${name} is on.`)
    : notEnforced(`Antrea's gate ${name} is off.`);
}
