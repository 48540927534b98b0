import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { find, type Kustomization, type Manifest, read, readYaml } from "./manifests.ts";
import { hasKubectl, renderOwn } from "./rendered.ts";
import { policyKinds } from "./rights.ts";

const folder = "deploy/components/kubernetes-audit";

type AuditPolicy = {
  readonly rules: readonly {
    readonly level: string;
    readonly verbs?: readonly string[];
    readonly resources?: readonly { readonly group: string; readonly resources: readonly string[] }[];
  }[];
};

describe("components/kubernetes-audit", () => {
  it("logs the writes of every kind of policy that is followed, with the object, and nothing else", () => {
    const [writes, rest, ...more] = readYaml<AuditPolicy>(`${folder}/policy.yaml`).rules;
    expect(writes).toMatchObject({
      level: "RequestResponse",
      verbs: ["create", "update", "patch", "delete", "deletecollection"],
    });
    const kinds = writes!.resources!.flatMap(({ group, resources }) => resources.map((one) => `${group}/${one}`));
    expect(kinds.toSorted()).toEqual(["networking.k8s.io/networkpolicies", ...policyKinds].toSorted());
    expect([rest, ...more]).toEqual([{ level: "None" }]);
  });

  it("ships neither a token nor the forms, whose addresses agree with each other and with the bot", () => {
    const { resources, patches } = readYaml<Kustomization & { patches: object[] }>(`${folder}/kustomization.yaml`);
    expect([resources, patches]).toEqual([["network-policy.yaml"], [{ path: "deployment.yaml" }]]);
    expect(read(`${folder}/webhook.example.yaml`)).toContain("token: <KUBERNETES_AUDIT_TOKEN>");
    const [, host, path] = /server: https:\/\/([^/]+)(\/\S+\/)default$/m.exec(read(`${folder}/webhook.example.yaml`))!;
    const { spec } = readYaml<Manifest>(`${folder}/ingress.example.yaml`);
    expect(spec).toMatchObject({ rules: [{ host, http: { paths: [{ path, pathType: "Prefix" }] } }] });
    expect(path).toBe("/kubernetes-audit/");
  });

  it.runIf(hasKubectl)("gives the bot the token that it reads, and lets the ingress controller in", () => {
    const objects = renderOwn({ resources: ["../base"], components: ["../components/kubernetes-audit"] });
    const { env } = find(objects, "Deployment", "bulkhead").spec!.template.spec.containers[0]!;
    const secret = { name: "bulkhead-secrets", key: "KUBERNETES_AUDIT_TOKEN" };
    expect(env).toContainEqual({ name: "KUBERNETES_AUDIT_TOKEN", valueFrom: { secretKeyRef: secret } });
    expect(find(objects, "NetworkPolicy", "bulkhead-kubernetes-audit").spec).toMatchObject({
      policyTypes: ["Ingress"],
      ingress: [{ ports: [{ protocol: "TCP", port: "http" }] }],
    });
    const loaded = readConfig({ KUBERNETES_AUDIT_TOKEN: "x".repeat(16) }, "", () => undefined);
    expect(loaded).toMatchObject({ config: { kubernetesAuditToken: "x".repeat(16) } });
  });
});
