import type { DenyEngine, Detection, EngineState, OpenConnections } from "../policy/engine.ts";
import type { Agent } from "../policy/evidence.ts";
import type { PluginName } from "../policy/network-plugins.ts";

/** Whether something enforces, and how that is known or why not, in a sentence. */
export type Judgement = Pick<EngineState, "state" | "because">;

/** What one network plugin of a cluster enforces. */
export type Plugin = {
  readonly name: PluginName;
  /** It gives pods their network: two such plugins never hold for the same pod. */
  readonly wires: boolean;
  /** Of the engines that it may enforce at all; of the others it enforces none. */
  readonly judgements: Partial<Record<DenyEngine, Judgement>>;
  readonly openConnections: OpenConnections;
  readonly simulated: Detection["simulated"];
};

/** What a plugin is judged by. */
export type Seen = {
  readonly agents: readonly Agent[];
  /** Where the target's pods are; none: everywhere. */
  readonly nodes: readonly string[];
};

export function enforced(because: string): Judgement {
  return { state: "enforced", because };
}

export function notEnforced(because: string): Judgement {
  return { state: "not-enforced", because };
}

export function unknown(because: string): Judgement {
  return { state: "unknown", because };
}

/** All must hold: what is known not to is first told, then what is not known, and where all do the last of them. */
export function all(first: Judgement, ...others: readonly Judgement[]): Judgement {
  const judgements = [first, ...others];
  return (
    judgements.find(({ state }) => state === "not-enforced") ??
    judgements.find(({ state }) => state === "unknown") ??
    judgements.at(-1) ??
    first
  );
}

/**
 * Where network plugins are installed. A DaemonSet elsewhere may be anybody's who owns a namespace, and a name proves
 * nothing.
 */
const systemNamespaces =
  /^(kube-system|kube-flannel|kube-network-policies|calico-system|cilium(-system)?|antrea(-system)?|ovn-kubernetes|openshift-.+|weave)$/;

/** Whether a plugin's agents run where it matters. A ready agent takes new policies; one that is not may still hold old ones. */
export function running(name: PluginName, { agents, nodes }: Seen): Judgement {
  const stray = agents.find(({ namespace }) => !systemNamespaces.test(namespace));
  if (stray !== undefined) {
    return unknown(
      `DaemonSet ${stray.namespace}/${stray.name} looks like ${name}, in a namespace that is no system's.`,
    );
  }
  const desired = sum(agents.map((agent) => agent.desired));
  const ready = sum(agents.map((agent) => agent.ready));
  if (desired === 0) return notEnforced(`${name} is installed, and its agent is to run on no node.`);
  if (nodes.length > 0) return runningOn(name, agents, nodes);
  return ready < desired
    ? unknown(`${name}'s agent is ready on ${ready} of ${desired} nodes.`)
    : enforced(`${name}'s agent is ready on ${desired === 1 ? "the one node" : `all ${desired} nodes`}.`);
}

function runningOn(name: PluginName, agents: readonly Agent[], nodes: readonly string[]): Judgement {
  const unread = agents.map(({ readyOn }) => readyOn).find(({ read }) => !read);
  if (unread !== undefined && !unread.read)
    return unknown(`Where ${name}'s agent runs could not be read: ${unread.why}`);
  const ready = new Set(agents.flatMap(({ readyOn }) => (readyOn.read ? readyOn.value : [])));
  const missing = nodes.filter((node) => !ready.has(node));
  const where = nodes.length === 1 ? `node ${nodes[0]}` : `the ${nodes.length} nodes concerned`;
  return missing.length > 0
    ? unknown(`${name}'s agent is not ready on ${missing.slice(0, 3).join(", ")}.`)
    : enforced(`${name}'s agent is ready on ${where}.`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** Go's flags: `--name=value`, `-name=value`, `--name value`, and `--name` alone for true. The last one counts. */
export function flag({ agents }: Pick<Seen, "agents">, name: string): string | undefined {
  const args = agents.flatMap(({ containers }) => containers.flatMap((each) => each.args));
  const values = args.flatMap((arg, at) => {
    const [, key, value] = /^--?([^=\s]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (key !== name) return [];
    const next = args[at + 1];
    return [value ?? (next === undefined || next.startsWith("-") ? "true" : next)];
  });
  return values.at(-1);
}

/** strconv.ParseBool; undefined for anything else. */
export function flagValue(text: string | undefined): boolean | undefined {
  if (text !== undefined && /^(1|t|true)$/i.test(text)) return true;
  return text !== undefined && /^(0|f|false)$/i.test(text) ? false : undefined;
}

/** Of the first image whose repository ends so (`calico/node`): its tag; undefined without one. */
export function tagOf({ agents }: Pick<Seen, "agents">, repository: string): string | undefined {
  const images = agents.flatMap(({ containers }) => containers.map(({ image }) => image.split("@")[0] ?? ""));
  const found = images.find((image) => {
    const path = image.replace(/:[^/:]*$/, "");
    return path === repository || path.endsWith(`/${repository}`);
  });
  return found === undefined ? undefined : /:([^/:]+)$/.exec(found)?.[1];
}

/** `v3.29.1-0.dev` → [3, 29]. */
export function versionOf(tag: string | undefined): readonly [major: number, minor: number] | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)(?:[.-]|$)/.exec(tag ?? "") ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}
