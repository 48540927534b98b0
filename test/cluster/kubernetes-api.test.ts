import { readFile } from "node:fs/promises";
import { kubernetesApiContract } from "../contract/kubernetes-api.ts";
import { connectWith } from "../contract/kubernetes-connection.ts";

kubernetesApiContract("the control plane", async () => {
  const path = process.env["KUBECONFIG"];
  if (path === undefined) throw new Error("KUBECONFIG names no control plane to test against");
  return connectWith(await readFile(path, "utf8"));
});
