import type { Cluster } from "../kubernetes/cluster.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { clusterOf, type Services } from "./services.ts";

const pods = { group: "", plural: "pods" };
const policies = { group: "networking.k8s.io", plural: "networkpolicies" };
const nodes = { group: "", plural: "nodes" };

/** What the canary does, by verb and kind; the roles of deploy/components/canary grant it. */
const needed = [
  ...["create", "list", "delete"].map((verb) => ({ verb, resource: pods })),
  ...["create", "get", "list", "delete"].map((verb) => ({ verb, resource: policies })),
] as const;

/** Why the canary cannot run in the cluster, with what installs it; undefined where it can. */
export async function whyNoCanary(cluster: Cluster, namespace: string): Promise<Refusal | undefined> {
  const install = `Install the canary, with rights of yours in cluster ${cluster.name}: kubectl apply -k deploy/components/canary`;
  const there = (await cluster.namespaces()).some(({ name, terminating }) => name === namespace && !terminating);
  if (!there) return refusal(`cluster ${cluster.name} has no namespace ${namespace}`, install);
  const asked = [...needed.map((one) => ({ ...one, where: namespace })), { verb: "list", resource: nodes, where: "" }];
  const answers = await Promise.all(
    asked.map(async ({ verb, resource, where }) =>
      (await cluster.mayI(verb, resource, where)).allowed ? [] : [`${verb} ${resource.plural}`],
    ),
  );
  const denied = answers.flat();
  if (denied.length === 0) return undefined;
  return refusal(
    `in namespace ${namespace} of cluster ${cluster.name} the account that Bulkhead acts with may not ${denied.join(", ")}`,
    install,
  );
}

/** The configured image, else the one that the running Bulkhead has: it has Node, and its nodes have pulled it before. */
export async function canaryImage(services: Services): Promise<string | Refusal> {
  const { settings, replica } = services;
  if (settings.canary.image !== undefined) return settings.canary.image;
  const home = clusterOf(services, settings.clusters.home).cluster;
  const running = await home.canary
    .podStates(settings.ownNamespace, "app.kubernetes.io/name=bulkhead")
    .then((all) => all.filter(({ phase, image }) => phase === "Running" && image !== undefined))
    .catch(() => []);
  const own = running.find(({ name }) => name === replica) ?? running[0];
  return (
    own?.image ??
    refusal(
      `no image is configured for the canary, and in namespace ${settings.ownNamespace} no pod of Bulkhead runs whose image it could use`,
      "Set canary.image in the configuration: any image with Node.",
    )
  );
}
