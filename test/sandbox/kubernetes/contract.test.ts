import { startSandboxCluster } from "../../../src/sandbox/kubernetes/cluster.ts";
import { seedObjects } from "../../../src/sandbox/kubernetes/seed.ts";
import { kubernetesApiContract } from "../../contract/kubernetes-api.ts";
import { connectWith } from "../../contract/kubernetes-connection.ts";

kubernetesApiContract("the sandbox", async () => {
  const cluster = await startSandboxCluster({ objects: seedObjects() });
  const connection = await connectWith(cluster.kubeconfig);
  return {
    ...connection,
    expireHistory: () => cluster.faults.expireHistory(),
    close: async () => {
      await connection.close();
      await cluster.close();
    },
  };
});
