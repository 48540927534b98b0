import type { Cluster, NamespaceFacts } from "../kubernetes/cluster.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import type { LabelSelector, Workload, WorkloadKind } from "../policy/objects.ts";
import { didYouMean } from "../policy/suggest.ts";
import type { WorkloadTarget } from "../policy/target.ts";

/** The workload by its whole name and kind; a beginning is never enough, since its selector decides over other pods. */
export function findWorkload(facts: NamespaceFacts, { namespace, workload }: WorkloadTarget): Workload | Refusal {
  const { kind, name } = workload;
  const ofKind = facts.workloads.filter((one) => one.kind === kind && one.namespace === namespace);
  const found = ofKind.find((one) => one.name === name);
  if (found !== undefined) return isEmpty(found) ? selectsAll(found) : found;
  const hint = didYouMean(
    name,
    ofKind.map((one) => one.name),
  );
  return refusal(
    `there is no ${kind} ${name} in namespace ${namespace}`,
    `Look at kubectl get ${kind.toLowerCase()} -n ${namespace}.${hint}`,
  );
}

/** The pods of a workload of whichever kind has that name, where only one has; for naming them in a policy. */
export function findAnyWorkload(
  facts: NamespaceFacts,
  {
    namespace,
    kind,
    name,
  }: { readonly namespace: string; readonly kind: WorkloadKind | undefined; readonly name: string },
): { readonly namespace: string; readonly selector: LabelSelector; readonly name: string } | Refusal {
  const named = facts.workloads.filter((one) => one.name === name && one.namespace === namespace);
  const [only, ...others] = kind === undefined ? named : [];
  if (only !== undefined && others.length > 0) {
    const kinds = named.map((one) => `${namespace}/${one.kind.toLowerCase()}/${name}`);
    return refusal(`${namespace}/${name} is more than one workload`, `Name its kind: ${kinds.join(" or ")}.`);
  }
  const wanted = kind ?? only?.kind ?? "Deployment";
  const found = findWorkload(facts, { cluster: "", namespace, workload: { kind: wanted, name } });
  if ("reason" in found) return found;
  return { namespace, selector: found.selector, name: `${namespace}/${found.kind.toLowerCase()}/${name}` };
}

/** Whether findWorkload would find it there: for asking several clusters at once. */
export async function hasWorkload(
  cluster: Cluster,
  { namespace, workload }: Pick<WorkloadTarget, "namespace" | "workload">,
): Promise<boolean> {
  const { workloads } = await cluster.facts(namespace, "cache");
  return workloads.some(({ kind, name }) => kind === workload.kind && name === workload.name);
}

function isEmpty({ selector: { matchLabels = {}, matchExpressions = [] } }: Workload): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

function selectsAll({ kind, name, namespace }: Workload): Refusal {
  return refusal(
    `the selector of ${kind} ${name} is empty: it would catch every pod of namespace ${namespace}`,
    `To cut them all off: /np lockdown ${namespace}`,
  );
}
