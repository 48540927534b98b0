import { snapshotOf } from "../commands/simulated.ts";
import { parseNamespace, parsePod } from "../kubernetes/parse.ts";
import type { Pod } from "../policy/objects.ts";
import { compile, type Simulator } from "../simulator/compile.ts";
import { decide, type Endpoint } from "../simulator/decide.ts";
import type { WireObject } from "../simulator/model.ts";
import type { SandboxCluster } from "./kubernetes/cluster.ts";
import type { Attempt } from "./traffic-lines.ts";

/** What the policies of the cluster say of connections at this moment. */
export type Rules = {
  /** Those that have a network. */
  readonly pods: readonly Pod[];
  decide(attempt: Attempt): { readonly egress: boolean; readonly ingress: boolean };
};

/** By the cluster as it is stored; compiled anew only where something has changed since `before`. */
export function rulesOf(cluster: Pick<SandboxCluster, "objects">, before?: Rules & Compiled): Rules & Compiled {
  const [rawPods, namespaces, policies] = ["Pod", "Namespace", "NetworkPolicy"].map((kind) => cluster.objects(kind));
  const all = [rawPods ?? [], namespaces ?? [], policies ?? []];
  const versions = all
    .flat()
    .map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`)
    .join();
  if (before?.versions === versions) return before;
  const pods = (rawPods ?? []).map(parsePod).filter(({ phase, podIP }) => phase === "Running" && podIP !== undefined);
  const snapshot = snapshotOf({
    namespaces: (namespaces ?? []).map(parseNamespace),
    pods,
    services: [],
    workloads: [],
    policies: (policies ?? []) as unknown as readonly WireObject[],
  });
  const simulator = compile(snapshot, { engine: "networkpolicy", ipBlockMatchesPods: false });
  return { pods, versions, decide: (attempt) => decided(simulator, attempt) };
}

type Compiled = { readonly versions: string };

function decided(simulator: Simulator, { from, to, protocol, port }: Attempt) {
  const [source, target] = [endpointOf(simulator, from), endpointOf(simulator, to)];
  const { egress, ingress } = decide(simulator, { from: source, to: target, protocol, port });
  return { egress: egress.verdict === "allowed", ingress: ingress.verdict === "allowed" };
}

function endpointOf({ snapshot }: Simulator, end: Pod | string): Endpoint {
  if (typeof end === "string") return { kind: "external", address: end };
  const pod = snapshot.pods.find(({ namespace, name }) => namespace === end.namespace && name === end.name);
  if (pod === undefined) throw new Error(`pod ${end.namespace}/${end.name} is not in the sandbox any more`);
  return { kind: "pod", pod };
}
