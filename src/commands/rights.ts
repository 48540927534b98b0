import type { Cluster } from "../kubernetes/cluster.ts";
import { manifestResource } from "../kubernetes/manifest-resources.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import type { Manifest } from "../policy/manifest.ts";
import type { AllowPlan, ContainPlan, QuarantinePlan } from "../policy/plan.ts";
import { objectsOf } from "./deny-objects.ts";
import type { Request } from "./request.ts";

type Right = { readonly verb: string; readonly group: string; readonly plural: string; readonly namespace: string };

/**
 * Asks the API server beforehand, so that a missing RoleBinding is a clear answer and not a half-done quarantine. A
 * cluster-scoped object needs its own right beside those in the namespace, so that opting in keeps its meaning.
 */
export async function refuseRights(
  cluster: Cluster,
  plan: QuarantinePlan | ContainPlan,
  source: Request["source"],
): Promise<Refusal | undefined> {
  const missing = await missingRights(cluster, rightsFor(plan));
  return missing.length === 0 ? undefined : refuse(plan.target.namespace, missing, source);
}

/** The same for an allowance: it is written, made longer and ended. */
export async function refuseWriting(
  cluster: Cluster,
  { objects }: AllowPlan,
  source: Request["source"],
): Promise<Refusal | undefined> {
  const namespaces = [...new Set(objects.map(({ metadata }) => metadata.namespace))];
  const policies = { group: "networking.k8s.io", plural: "networkpolicies" };
  const rights = namespaces.flatMap((namespace) =>
    ["create", "delete", "patch"].map((verb) => ({ ...policies, verb, namespace })),
  );
  const missing = await missingRights(cluster, rights);
  return missing[0] === undefined ? undefined : refuse(missing[0].namespace, missing, source);
}

/** Of these, what the API server does not allow. */
async function missingRights(cluster: Cluster, rights: readonly Right[]): Promise<readonly Right[]> {
  const answers = await Promise.all(
    rights.map(({ verb, group, plural, namespace }) => cluster.mayI(verb, { group, plural }, namespace)),
  );
  return rights.filter((_, index) => answers[index]?.allowed !== true);
}

/** Whether all of these may be written, and removed where they are. */
export async function mayWrite(cluster: Cluster, objects: readonly Manifest[]): Promise<boolean> {
  return (await missingRights(cluster, objects.flatMap(rightsOn))).length === 0;
}

function rightsFor(plan: QuarantinePlan | ContainPlan): readonly Right[] {
  if (plan.kind === "contain") return objectsOf(plan).flatMap(rightsOn);
  const { namespace } = plan.target;
  const policies = { group: "networking.k8s.io", plural: "networkpolicies", namespace };
  return [
    ...objectsOf(plan).flatMap(rightsOn),
    { verb: "patch", group: "", plural: "pods", namespace },
    ...((plan.exclusions ?? []).length > 0 ? [{ ...policies, verb: "amend" }] : []),
  ];
}

/** What several operations share is made once, and never deleted. */
function rightsOn(object: Manifest): readonly Right[] {
  const { group, plural } = manifestResource(object);
  const { namespace = "" } = object.metadata;
  const verbs = object.kind === "Tier" ? ["create"] : ["create", "delete"];
  return verbs.map((verb) => ({ verb, group, plural, namespace }));
}

function refuse(namespace: string, missing: readonly Right[], source: Request["source"]): Refusal {
  const words = missing.map(
    ({ verb, group, plural, namespace: where }) =>
      `${verb} ${plural}${group === "" ? "" : `.${group}`}${where === "" ? " in the cluster" : ""}`,
  );
  if (source === "terminal") {
    return refusal(
      `Kubernetes does not let you do this for namespace ${namespace}: ${words.join(", ")}`,
      "Ask for these rights, or use Bulkhead in Slack.",
    );
  }
  if (missing.some((right) => right.namespace === "")) {
    return refusal(
      `Kubernetes does not let Bulkhead do this for namespace ${namespace}: ${words.join(", ")}`,
      "Apply deploy/components/engines, or choose another engine with --engine networkpolicy.",
    );
  }
  return refusal(
    `Kubernetes does not let Bulkhead do this in namespace ${namespace}: ${words.join(", ")}`,
    `Opt the namespace in: ${missing
      .map(roleOf)
      .filter(isFirst)
      .map((role) => binding(role, namespace))
      .join("; ")}`,
  );
}

/** Changing policies that are not Bulkhead's is a right of its own, and so is writing those of network plugins. */
function roleOf({ verb, group, plural }: Right): string {
  if (group !== "" && group !== "networking.k8s.io") return "bulkhead-write-engines";
  return verb === "amend" && plural === "networkpolicies" ? "bulkhead-amend" : "bulkhead-write";
}

function isFirst(role: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(role) === index;
}

function binding(role: string, namespace: string): string {
  return `kubectl create rolebinding ${role} -n ${namespace} --clusterrole=${role} --serviceaccount=bulkhead:bulkhead`;
}
