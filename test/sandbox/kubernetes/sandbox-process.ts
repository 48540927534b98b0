import { startSandboxCluster } from "../../../src/sandbox/kubernetes/cluster.ts";
import { seedObjects } from "../../../src/sandbox/kubernetes/seed.ts";

// A sandbox in a process of its own. Prints its kubeconfig as one line of JSON; a line on standard input makes it
// forget its history; ends with standard input.
const cluster = await startSandboxCluster({ objects: seedObjects() });
process.stdout.write(`${JSON.stringify(cluster.kubeconfig)}\n`);
process.stdin.on("data", () => cluster.faults.expireHistory());
process.stdin.on("end", () => void cluster.close());
