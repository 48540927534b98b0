import type { ClusterEntry } from "./commands/services.ts";
import type { SpanAttributes, Tracing } from "./commands/tracing.ts";
import type { AnyPolicy } from "./kubernetes/any-policy.ts";
import type { Cluster } from "./kubernetes/cluster.ts";

/** The same clusters, with a span for each write to an API server that is made for an operation; dry runs are none. */
export function tracedClusters(
  clusters: ReadonlyMap<string, ClusterEntry>,
  tracing: Tracing | undefined,
): ReadonlyMap<string, ClusterEntry> {
  if (tracing === undefined) return clusters;
  return new Map([...clusters].map(([name, entry]) => [name, { ...entry, cluster: traced(entry.cluster, tracing) }]));
}

function traced(cluster: Cluster, tracing: Tracing): Cluster {
  const write = writing(tracing, cluster.name);
  return {
    ...cluster,
    createObject: (object) => write("create", object, () => cluster.createObject(object)),
    deleteObject: (reference, version) => write("delete", reference, () => cluster.deleteObject(reference, version)),
    patchPolicy: (namespace, name, patch, operation) =>
      write("patch", { kind: "NetworkPolicy", metadata: { namespace } }, () =>
        cluster.patchPolicy(namespace, name, patch, operation),
      ),
    patchPod: (namespace, name, patch) =>
      write("patch", { kind: "Pod", metadata: { namespace } }, () => cluster.patchPod(namespace, name, patch)),
    deletePod: (namespace, name, uid) =>
      write("delete", { kind: "Pod", metadata: { namespace } }, () => cluster.deletePod(namespace, name, uid)),
    anyPolicy: tracedPolicies(cluster.anyPolicy, write),
  };
}

function tracedPolicies(policies: AnyPolicy, write: Write): AnyPolicy {
  return {
    ...policies,
    create: (object, options) =>
      options?.dryRun === true
        ? policies.create(object, options)
        : write("create", object, () => policies.create(object, options)),
    replace: (object, version, options) =>
      options?.dryRun === true
        ? policies.replace(object, version, options)
        : write("replace", object, () => policies.replace(object, version, options)),
    delete: (reference, version, options) =>
      options?.dryRun === true
        ? policies.delete(reference, version, options)
        : write("delete", reference, () => policies.delete(reference, version, options)),
  };
}

type Written = { readonly kind: string; readonly metadata: { readonly namespace?: string | undefined } };

type Write = <T extends { readonly kind: string }>(verb: string, what: Written, work: () => Promise<T>) => Promise<T>;

/** `kind` of an answer is what the write came to: created, exists, conflict … */
function writing(tracing: Tracing, cluster: string): Write {
  return (verb, { kind, metadata: { namespace } }, work) => {
    const place: SpanAttributes = namespace === undefined ? {} : { "k8s.namespace.name": namespace };
    const attributes = { "k8s.cluster.name": cluster, "bulkhead.object": kind, ...place };
    return tracing.span(`kubernetes ${verb}`, attributes, async () => {
      const done = await work();
      tracing.set({ "bulkhead.result": done.kind });
      return done;
    });
  };
}
