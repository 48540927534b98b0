import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createMetrics } from "../../src/metrics.ts";
import { promtool } from "../prometheus.ts";
import { find, read, readYaml } from "./manifests.ts";
import { hasKubectl, renderOwn } from "./rendered.ts";

const folder = "deploy/components/prometheus";

type Rules = {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly annotations: { readonly procedure: string };
    }[];
  }[];
};

const rules = readYaml<Rules>(`${folder}/rules.yaml`).groups.flatMap((group) => group.rules);

describe("components/prometheus", () => {
  it("has rules that a real promtool takes", async () => {
    expect(await promtool("check", "rules", pathOf(`${folder}/rules.yaml`))).toMatch(/SUCCESS: 7 rules found/);
  }, 300_000);

  it("has rules that fire when they have to, and not before, by a real promtool", async () => {
    expect(await promtool("test", "rules", pathOf("test/deploy/prometheus-rules.yaml"))).toMatch(/SUCCESS/);
    const tested = read("test/deploy/prometheus-rules.yaml");
    expect(rules.filter(({ alert }) => !tested.includes(`alertname: ${alert}\n`))).toEqual([]);
  }, 300_000);

  it("has rules that a real promtool takes with links as well, by the command that their file names", async () => {
    const [, substitution = ""] = /sed -i '(.+)' rules\.yaml/.exec(read(`${folder}/rules.yaml`)) ?? [];
    const linked = join(await mkdtemp(join(tmpdir(), "bulkhead-rules-")), "rules.yaml");
    await writeFile(linked, execFileSync("sed", [substitution, pathOf(`${folder}/rules.yaml`)]));
    expect(await promtool("check", "rules", linked)).toMatch(/SUCCESS: 7 rules found/);
    const links = (await readFile(linked, "utf8")).match(
      /^ +runbook_url: https:\/\/\S+\/runbooks\/procedures\/\S+\.md$/gm,
    );
    expect(links).toHaveLength(7);
    await rm(dirname(linked), { recursive: true });
  }, 300_000);

  it("asks for metrics that the bot has", async () => {
    const known = new Set((await createMetrics().text()).match(/(?<=# TYPE )\S+/g));
    const asked = rules.flatMap(({ expr }) => expr.match(/bulkhead_\w+/g) ?? []);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(rules)("has a procedure for $alert", ({ annotations }) => {
    const [, name] = /^runbooks\/procedures\/(.+)$/.exec(annotations.procedure) ?? [];
    expect(read(`runbooks/procedures/${name}`)).toMatch(/^# /);
  });

  it.runIf(hasKubectl)("has each replica scraped, and brings the rules", () => {
    const objects = renderOwn({ resources: ["../base"], components: ["../components/prometheus"] });
    expect(find(objects, "Deployment", "bulkhead").spec?.template).toMatchObject({
      metadata: { annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "8080" } },
    });
    expect(find(objects, "ConfigMap", "bulkhead-prometheus-rules")).toMatchObject({
      data: { "rules.yaml": expect.stringContaining("BulkheadExpiryLate") },
    });
  });
});

function pathOf(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
