import { describe, expect, it } from "vitest";
import { tracesOf, tracesProblems } from "../../src/config-traces.ts";
import { find, type Manifest, readYaml } from "./manifests.ts";
import { hasKubectl, renderOwn } from "./rendered.ts";

const component = "deploy/components/traces";

describe("components/traces", () => {
  it("has an address that the bot takes, headers from the Secret, and nothing else", () => {
    const { spec } = readYaml<Manifest>(`${component}/deployment.yaml`);
    const env = spec!.template.spec.containers[0]!.env ?? [];
    expect(env.map(({ name }) => name)).toEqual(["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"]);
    const given = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    expect(tracesProblems(given, () => undefined)).toEqual([]);
    expect(tracesOf(given)).toMatchObject({ protocol: "http/protobuf", ratio: 1 });
  });

  it.runIf(hasKubectl)("adds the variables and the port to what is there", () => {
    const components = ["../components/network-policy", "../components/traces"];
    const objects = renderOwn({ resources: ["../base"], components });
    const names = find(objects, "Deployment", "bulkhead").spec!.template.spec.containers[0]!.env!.map(
      ({ name }) => name,
    );
    expect(names).toEqual(expect.arrayContaining(["REDIS_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"]));
    const text = JSON.stringify(find(objects, "NetworkPolicy", "bulkhead").spec);
    expect(text).toContain("4318");
    expect(text).toContain("6443");
  });
});
