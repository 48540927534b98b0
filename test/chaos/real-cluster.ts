import { readFile } from "node:fs/promises";
import { deployBulkhead } from "../cluster/deployed.ts";
import { kubectl } from "../cluster/kubectl.ts";
import { waitFor } from "../wait.ts";

/** Bulkhead's rights on the control plane of KUBECONFIG, in namespaces made for a test. */
export type RealCluster = {
  /** Texts of kubeconfigs: with all rights, and as the bot's ServiceAccount with those of deploy/ and no more. */
  readonly kubernetes: { readonly admin: string; readonly bot: string };
  /** Takes all of it away again. */
  remove(): Promise<void>;
};

/** Undefined where KUBECONFIG is not set: then there is only the sandbox. Throws where the control plane is not local. */
export async function useRealCluster(namespaces: readonly string[]): Promise<RealCluster | undefined> {
  const kubeconfig = process.env["KUBECONFIG"];
  if (kubeconfig === undefined || kubeconfig === "") return undefined;
  for (const name of namespaces) {
    await kubectl(["create", "namespace", name]);
    await waitFor(() => kubectl(["get", "serviceaccount", "default", "-n", name]).catch(() => undefined));
  }
  const deployed = await deployBulkhead(namespaces);
  return {
    kubernetes: { admin: await readFile(kubeconfig, "utf8"), bot: deployed.kubeconfig },
    async remove() {
      await deployed.remove();
      await kubectl(["delete", "namespace", ...namespaces, "--wait=false"]);
    },
  };
}
