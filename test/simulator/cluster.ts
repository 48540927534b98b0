import { parse } from "yaml";
import { compile, type Simulator } from "../../src/simulator/compile.ts";
import { type Answer, decide, type Endpoint } from "../../src/simulator/decide.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import type { Settings, SimulatedPod, SimulatedService, Snapshot } from "../../src/simulator/snapshot.ts";

/** A small cluster in few words, for cases that are worked out by hand. */

export type PodInWords = Partial<Omit<SimulatedPod, "namespace" | "name">>;

/** `pods`: by `namespace/name`. `namespaces`: labels by name, beside the one that every namespace has. `policies`: YAML documents. */
export type ClusterInWords = {
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly pods: Readonly<Record<string, PodInWords>>;
  readonly policies?: string | readonly WireObject[];
  readonly services?: readonly SimulatedService[];
  readonly settings?: Partial<Settings>;
};

export type SmallCluster = {
  readonly simulator: Simulator;
  /**
   * `ask("shop/web", "shop/db", 5432)`; an end is a pod, or an IP address. The protocol is TCP unless given as
   * `"5432/UDP"`.
   */
  readonly ask: (from: string, to: string, port: number | string) => Answer;
};

export function createCluster(words: ClusterInWords): SmallCluster {
  const { namespaces = {}, pods, policies = [], services = [], settings } = words;
  const all = new Map(Object.entries(pods).map(([key, words]) => [key, podOf(key, words)]));
  const names = new Set([...Object.keys(namespaces), ...[...all.values()].map(({ namespace }) => namespace)]);
  const snapshot: Snapshot = {
    namespaces: [...names].map((name) => ({
      name,
      labels: { ...namespaces[name], "kubernetes.io/metadata.name": name },
    })),
    pods: [...all.values()],
    services,
    policies: typeof policies === "string" ? parseAll(policies) : policies,
  };
  const simulator = compile(snapshot, { engine: undefined, ipBlockMatchesPods: false, ...settings });
  const end = (text: string): Endpoint => {
    const pod = all.get(text);
    if (pod === undefined && text.includes("/")) throw new Error(`no pod ${text} in the case`);
    return pod === undefined ? { kind: "external", address: text } : { kind: "pod", pod };
  };
  const ask = (from: string, to: string, text: number | string): Answer => {
    const [port, protocol = "TCP"] = String(text).split("/");
    return decide(simulator, {
      from: end(from),
      to: end(to),
      protocol: protocol as "TCP" | "UDP" | "SCTP",
      port: Number(port),
    });
  };
  return { simulator, ask };
}

function parseAll(text: string): readonly WireObject[] {
  return text.split(/^---$/m).map((document) => parse(document) as WireObject);
}

function podOf(key: string, words: PodInWords): SimulatedPod {
  const [namespace = "", name = ""] = key.split("/");
  return {
    namespace,
    name,
    labels: {},
    workload: { namespace, name, kind: "Pod" },
    serviceAccount: "default",
    ports: [],
    addresses: [],
    node: undefined,
    hostNetwork: false,
    ...words,
  };
}
