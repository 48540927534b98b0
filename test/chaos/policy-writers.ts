import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Connection } from "../../src/kubernetes/connection.ts";
import { kubectl } from "../cluster/kubectl.ts";
import type { Random } from "./random.ts";

/** What people, pipelines and controllers do to NetworkPolicies, each by its own field manager. */
export type PolicyWriters = {
  create(name: string): Promise<void>;
  /** Another spec, in one of the ways in which they do that. */
  change(name: string): Promise<void>;
  relabel(name: string): Promise<void>;
  remove(name: string): Promise<void>;
};

const apply = "application/apply-patch+yaml";
const merge = "application/merge-patch+json";

/** Straight to the API server. */
export function createWriters(admin: Connection, namespace: string, random: Random): PolicyWriters {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
  let serial = 0;
  const body = (name: string) => {
    serial += 1;
    return policyOf(namespace, name, serial);
  };
  const patch = (name: string, contentType: string, fieldManager: string) => async () => {
    const given = contentType === apply ? body(name) : { spec: body(name).spec };
    const query = { fieldManager, ...(contentType === apply ? { force: "true" } : {}) };
    await admin.request("PATCH", `${path}/${name}`, { contentType, query, body: given });
  };
  const replace = (name: string) => async () => {
    const object = (await admin.request("GET", `${path}/${name}`)) as object;
    const query = { fieldManager: "network-operator" };
    await admin.request("PUT", `${path}/${name}`, { query, body: { ...object, spec: body(name).spec } });
  };
  const post = (name: string) => async () =>
    void (await admin.request("POST", path, { query: { fieldManager: "helm" }, body: body(name) }));
  return {
    create: (name) => random.pick([post(name), patch(name, apply, "argocd-controller")])(),
    change: (name) =>
      random.pick([
        patch(name, apply, "argocd-controller"),
        patch(name, merge, "kubectl-patch"),
        patch(name, merge, "some-controller"),
        replace(name),
      ])(),
    async relabel(name) {
      serial += 1;
      const labels = { step: `${serial}` };
      const query = { fieldManager: "kubectl-label" };
      await admin.request("PATCH", `${path}/${name}`, { contentType: merge, query, body: { metadata: { labels } } });
    },
    remove: async (name) => void (await admin.request("DELETE", `${path}/${name}`)),
  };
}

/** With the real kubectl: apply, edit, label, delete. */
export function createKubectlWriters(namespace: string, folder: string, random: Random): PolicyWriters {
  let serial = 1_000_000;
  const applied = async (name: string): Promise<void> => {
    serial += 1;
    await kubectl(["apply", "-f", "-"], { input: JSON.stringify(policyOf(namespace, name, serial)) });
  };
  const edited = async (name: string): Promise<void> => {
    serial += 1;
    const editor = join(folder, `edit-${serial}.sh`);
    await writeFile(editor, `#!/bin/sh\nsed -i 's/version: .*/version: "${serial}"/' "$1"\n`, { mode: 0o755 });
    process.env["KUBE_EDITOR"] = editor;
    await kubectl(["edit", "networkpolicy", name, "-n", namespace]);
  };
  return {
    create: applied,
    change: (name) => random.pick([applied, edited])(name),
    async relabel(name) {
      serial += 1;
      await kubectl(["label", "networkpolicy", name, "-n", namespace, "--overwrite", `step=${serial}`]);
    },
    remove: async (name) => void (await kubectl(["delete", "networkpolicy", name, "-n", namespace])),
  };
}

function policyOf(namespace: string, name: string, serial: number) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace },
    spec: {
      podSelector: { matchLabels: { app: name, version: `${serial}` } },
      policyTypes: ["Ingress"],
      ingress: [
        { from: [{ namespaceSelector: { matchLabels: { team: "web" } } }], ports: [{ protocol: "TCP", port: 8080 }] },
      ],
    },
  };
}
