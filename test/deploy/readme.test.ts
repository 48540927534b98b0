import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkout, find, read, readKustomization } from "./manifests.ts";
import { hasKubectl, renderOwn } from "./rendered.ts";

const text = read("deploy/README.md");
const fenced = (language: string) =>
  [...text.matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```$/gm)].flatMap(([, name, body = ""]) =>
    name === language ? [body.replaceAll(/^ {3}/gm, (indent) => (/^ {3}\S/m.test(body) ? "" : indent))] : [],
  );
const config = { "config.yaml": read("deploy/base/config.yaml") };

describe("deploy/README.md", () => {
  it("tells of every overlay and component that there is", () => {
    for (const kind of ["overlays", "components"]) {
      for (const name of readdirSync(`${checkout}deploy/${kind}`)) expect(text).toContain(`\`${kind}/${name}\``);
    }
  });

  it("links to what is there, and names no file of deploy/ that is not", () => {
    for (const [, path = ""] of text.matchAll(/\]\(([^)#]+)\)/g)) {
      expect(existsSync(`${checkout}deploy/${path}`), path).toBe(true);
    }
    for (const [, path = ""] of text.matchAll(/`((?:base|components|overlays|terminal|opt-in)\/[\w./-]*)`/g)) {
      expect(existsSync(`${checkout}deploy/${path}`), path).toBe(true);
    }
  });

  it("has for each right of the table the role that grants it", () => {
    const roles = readKustomization("deploy/base").filter(({ rules }) => rules !== undefined);
    for (const { metadata } of roles) expect(text).toContain(`| \`${metadata.name}\` |`);
  });

  it("applies and restarts what deploy/base has", () => {
    const base = readKustomization("deploy/base").map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    const commands = fenced("sh").join("\n");
    for (const [, name] of commands.matchAll(/ deploy\/(bulkhead\S*)/g)) expect(base).toContain(`Deployment/${name}`);
    expect(commands).toContain("kubectl apply -k deploy/ours");
  });
});

describe.runIf(hasKubectl)("the kustomizations of deploy/README.md", () => {
  const [ours = "", more = "", clusters = "", templates = "", proxies = "", ...rest] = fenced("yaml");

  it("are five", () => {
    expect(rest).toEqual([]);
    expect([ours, more, clusters, templates, proxies].every((one) => one.includes("resources:"))).toBe(true);
  });

  it("install two replicas with your image and your configuration", () => {
    const objects = renderOwn(ours, { "config.yaml": `${config["config.yaml"]}\n# ours\n` });
    const { spec } = find(objects, "Deployment", "bulkhead");
    expect(spec).toMatchObject({ replicas: 2 });
    expect(spec!.template.spec.containers[0]!.image).toMatch(/^REGISTRY\/bulkhead:\d/);
    expect(find(objects, "ConfigMap", "bulkhead-config").data?.["config.yaml"]).toContain("# ours");
    expect(find(objects, "ConfigMap", "bulkhead-config")).toMatchObject({ immutable: true });
    find(objects, "StatefulSet", "bulkhead-redis");
    find(objects, "NetworkPolicy", "bulkhead");
  });

  it("install any number of replicas", () => {
    const objects = renderOwn(more);
    expect(find(objects, "Deployment", "bulkhead").spec).toMatchObject({ replicas: 4 });
    find(objects, "PodDisruptionBudget", "bulkhead");
  });

  it("give the bot the kubeconfigs of further clusters", () => {
    const { spec } = find(renderOwn(clusters), "Deployment", "bulkhead").spec!.template;
    const [, mount] = /`(\/etc\/bulkhead-kubeconfigs)\/us`/.exec(text)!;
    expect(spec.containers[0]!.volumeMounts).toContainEqual({ name: "kubeconfigs", mountPath: mount, readOnly: true });
    expect(spec.volumes.map(({ name }) => name)).toContain("kubeconfigs");
  });

  it("give the bot templates that can be changed without a restart", () => {
    const files = Object.fromEntries(["dns", "egress-to-cidr"].map((name) => [`allowlists/${name}.yaml`, name]));
    const objects = renderOwn(templates, files);
    const { spec } = find(objects, "Deployment", "bulkhead").spec!.template;
    const [, mount] = /`templates: (\/etc\/bulkhead-templates)`/.exec(text)!;
    expect(spec.containers[0]!.volumeMounts).toContainEqual({ name: "templates", mountPath: mount, readOnly: true });
    const secret = find(objects, "Secret", "bulkhead-templates");
    expect(secret).toMatchObject({ metadata: { namespace: "bulkhead" }, data: { "dns.yaml": btoa("dns") } });
    expect(secret).not.toHaveProperty("immutable", true);
    const volume = { secretName: secret.metadata.name, defaultMode: 0o440 };
    expect(spec.volumes).toContainEqual({ name: "templates", secret: volume });
  });

  it("give the bot a proxy and an authority", () => {
    const objects = renderOwn(proxies, { "ca.pem": "an authority" });
    const { spec } = find(objects, "Deployment", "bulkhead").spec!.template;
    const [container] = spec.containers;
    expect(container!.env.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["HTTPS_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS"]),
    );
    expect(container!.volumeMounts.map(({ name }) => name)).toEqual(spec.volumes.map(({ name }) => name));
    const authority = objects.find(({ kind, data }) => kind === "ConfigMap" && data?.["ca.pem"] !== undefined);
    expect(authority).toMatchObject({ immutable: true, metadata: { namespace: "bulkhead" } });
    expect(spec.volumes).toContainEqual({ name: "ca", configMap: { name: authority!.metadata.name } });
  });

  it("make no ConfigMap that could be changed in place", () => {
    const files = { ...config, "ca.pem": "an authority" };
    for (const one of [ours, more, clusters, proxies]) {
      const maps = renderOwn(one, files).filter(({ kind }) => kind === "ConfigMap");
      expect(maps.length).toBeGreaterThan(0);
      for (const map of maps) expect(map, map.metadata.name).toMatchObject({ immutable: true });
    }
  });
});
