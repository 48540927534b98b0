import { startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import { manyObjects } from "./many-pods.ts";

/** The sandbox cluster with 10 000 pods, in a process of its own: prints its kubeconfig as one line of JSON. */
const cluster = await startSandboxCluster({ controllers: false, objects: manyObjects() });
process.stdout.write(`${JSON.stringify(cluster.kubeconfig)}\n`);

// Ends with its parent, however that ends.
process.stdin.on("end", () => process.exit(0)).resume();
