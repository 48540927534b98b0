import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { createFlowReader } from "../../src/flows/formats.ts";
import { readAtMs, sample } from "../flows/samples.ts";
import { find, type Manifest, read, readYaml } from "./manifests.ts";
import { hasKubectl, renderOwn } from "./rendered.ts";

const receiver = "deploy/components/flow-receiver";
const sources = "deploy/components/flow-sources";

type FluentBit = {
  readonly pipeline: {
    readonly inputs: readonly Readonly<Record<string, unknown>>[];
    readonly filters: readonly { readonly match: string; readonly regex: string }[];
    readonly outputs: readonly Readonly<Record<string, unknown>>[];
  };
};
type Vector = {
  readonly transforms: { readonly denied: { readonly inputs: readonly string[]; readonly condition: string } };
  readonly sinks: { readonly bulkhead: { readonly uri: string } & Readonly<Record<string, unknown>> };
};

describe("components/flow-receiver", () => {
  const fluentBit = readYaml<FluentBit>(`${receiver}/fluent-bit.example.yaml`).pipeline;
  const vector = readYaml<Vector>(`${receiver}/vector.example.yaml`);

  it("leads agents to the Service and the path that the bot listens on, with the token", () => {
    const { name, namespace = "bulkhead", ...service } = readYaml<Manifest>("deploy/base/service.yaml").metadata;
    expect(service).toEqual({});
    const [output] = fluentBit.outputs;
    expect(output).toMatchObject({ host: `${name}.${namespace}.svc`, port: 8080, uri: "/flows/default" });
    expect(output).toMatchObject({ format: "json_lines", header: "Authorization Bearer ${FLOWS_TOKEN}" });
    expect(vector.sinks.bulkhead).toMatchObject({
      uri: `http://${name}.${namespace}.svc:8080/flows/default`,
      method: "post",
      encoding: { codec: "json" },
      framing: { method: "newline_delimited" },
      auth: { strategy: "bearer", token: "${FLOWS_TOKEN}" },
    });
    const { spec } = readYaml<Manifest>(`${receiver}/ingress.example.yaml`);
    expect(spec).toMatchObject({ rules: [{ http: { paths: [{ path: "/flows/", pathType: "Prefix" }] } }] });
  });

  it("has both agents pass on what is denied, audited or lost, and nothing that was forwarded", () => {
    const [, byVector] = /r'(.*)'/.exec(vector.transforms.denied.condition)!;
    expect(fluentBit.filters.map(({ regex }) => regex)).toEqual([`log ${byVector}`]);
    const passes = new RegExp(byVector!);
    for (const line of ['"verdict":"DROPPED"', "Verdict DENY", '"disposition":"deny"', " Drop ", "verdict=drop"])
      expect(line).toMatch(passes);
    for (const line of ['"verdict":"FORWARDED"', "Verdict ACCEPT", '"disposition":"allow"', "verdict=allow"])
      expect(line).not.toMatch(passes);
  });

  it.each(["hubble-export.ndjson", "antrea-np.log", "ovn-acl-audit.log", "gke-policy-action.ndjson"])(
    "has both agents send %s as the bot reads it",
    (name) => {
      const lines = sample(name)
        .split("\n")
        .filter((line) => line !== "");
      const kinds = (body: readonly (string | object)[]) => {
        const reader = createFlowReader();
        return body.flatMap((entry) => reader.read(entry, { atMs: readAtMs })).map(({ kind }) => kind);
      };
      const [path] = fluentBit.inputs.map(({ path: one }) => one);
      const told = kinds(lines);
      expect(told).toContain("flow");
      expect(kinds(lines.map((log) => ({ date: 1, log })))).toEqual(told);
      const around = { file: path, host: "node-1", source_type: "file", timestamp: "2026-07-15T03:00:00Z" };
      expect(kinds(lines.map((message) => ({ ...around, message })))).toEqual(told);
    },
  );

  it.runIf(hasKubectl)("gives the bot the token that it reads, lets agents in, and no other port", () => {
    const objects = renderOwn({ resources: ["../base"], components: ["../components/flow-receiver"] });
    const { env } = find(objects, "Deployment", "bulkhead").spec!.template.spec.containers[0]!;
    const secret = { name: "bulkhead-secrets", key: "FLOWS_TOKEN" };
    expect(env).toContainEqual({ name: "FLOWS_TOKEN", valueFrom: { secretKeyRef: secret } });
    expect(find(objects, "NetworkPolicy", "bulkhead-flow-receiver").spec).toMatchObject({
      policyTypes: ["Ingress"],
      ingress: [{ ports: [{ protocol: "TCP", port: "http" }] }],
    });
    expect(read("deploy/secrets.example.yaml")).toContain("FLOWS_TOKEN");
  });
});

describe("components/flow-sources", () => {
  it.runIf(hasKubectl)("mounts the files that its configuration names, and opens the sources' ports", () => {
    const components = ["../components/network-policy", "../components/flow-sources"];
    const objects = renderOwn({ resources: ["../base"], components });
    const { spec } = find(objects, "Deployment", "bulkhead").spec!.template;
    const { mountPath } = spec.containers[0]!.volumeMounts.find(({ name }) => name === "flows")!;
    const named = [...read(`${sources}/config.example.yaml`).matchAll(/File: (\S+)\/\S+$/gm)].map(([, path]) => path);
    expect(new Set(named)).toEqual(new Set([mountPath]));
    const egress = find(objects, "NetworkPolicy", "bulkhead").spec!["egress"] as { ports: { port: number }[] }[];
    expect(egress.at(-1)!.ports.map(({ port }) => port)).toEqual([4245, 7443, 3100]);
  });

  it.runIf(hasKubectl)("closes nothing where nothing was closed", () => {
    const objects = renderOwn({ resources: ["../base"], components: ["../components/flow-sources"] });
    expect(objects.filter(({ kind }) => kind === "NetworkPolicy")).toEqual([]);
  });

  it("has a configuration that the bot reads, with files that deploy/README.md makes", () => {
    const pem = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n";
    const env = {
      SLACK_BOT_TOKEN: "xoxb-1",
      SLACK_APP_TOKEN: "xapp-1",
      REDIS_URL: "redis://r",
      KUBERNETES_SERVICE_HOST: "x",
    };
    const text = read(`${sources}/config.example.yaml`);
    const loaded = readConfig(env, text, () => pem, "bot");
    expect(loaded).not.toHaveProperty("problems");
    const kinds = "config" in loaded ? loaded.config.flows!.sources.map(({ kind }) => kind) : [];
    expect(kinds).toEqual(["hubble-relay", "goldmane", "loki"]);
    const guide = read("deploy/README.md");
    for (const [, file = ""] of text.matchAll(/File: \S+\/((?:hubble|goldmane)\S+)$/gm)) {
      expect(guide).toContain(`--from-file=${file}`);
    }
  });
});
