import { startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import { bulkPolicy, manyPolicies, policyNamespaces } from "./many-policies.ts";

/** The sandbox cluster with 5 000 policies, in a process of its own: prints its kubeconfig as one line of JSON. */
const namespaces = Array.from({ length: policyNamespaces }, (_, index) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: `bulk-${index}` },
}));
const policies = Array.from({ length: manyPolicies }, (_, index) => {
  const { metadata, ...policy } = bulkPolicy(index, 0);
  const { uid: _uid, resourceVersion: _version, ...own } = metadata;
  return { ...policy, metadata: own };
});
const cluster = await startSandboxCluster({ controllers: false, objects: [...namespaces, ...policies] });
process.stdout.write(`${JSON.stringify(cluster.kubeconfig)}\n`);

// Ends with its parent, however that ends.
process.stdin.on("end", () => process.exit(0)).resume();
