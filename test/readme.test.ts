import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { readArguments, readAuditTool } from "../src/cli-arguments.ts";
import { manuals } from "../src/commands/manuals.ts";
import { parse } from "../src/commands/parse.ts";
import { asksForForm } from "../src/commands/quarantine-form.ts";
import { toolHelp } from "../src/commands/tool-help.ts";
import { readConfig } from "../src/config.ts";
import { configFile } from "../src/config-schema.ts";
import { readDeclaredTool } from "../src/declared-tool.ts";
import { readFlowFileTool } from "../src/flow-file-tool.ts";
import { createMetrics } from "../src/metrics.ts";
import { readPolicyTool } from "../src/policy-arguments.ts";
import { runPolicyTool } from "../src/policy-tools.ts";
import { readTemplateTool } from "../src/template-tools.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(`${root}README.md`, "utf8");

describe("Every command in the README", () => {
  const typed = [...readme.matchAll(/`(\/np [^`…]+)`|^alice> (\/np .+)$/gm)].map(
    ([, inline, shown]) => inline ?? shown ?? "",
  );
  const terminal = fenced("sh")
    .concat([...readme.matchAll(/`([^`\n]*\bbulkhead -- [^`\n]+)`/g)].map(([, line]) => line ?? ""))
    .map((line) => /^(?:bulkhead|.*bulkhead -- (?:bulkhead)?) *(.+)$/.exec(line.replace(/\s+#\s.*$/, ""))?.[1])
    .filter((line) => line !== undefined);

  test.each(typed)("%s is understood in Slack", (line) => {
    expect(kindOf(line.slice("/np ".length))).not.toBe("usage");
  });

  test.each(terminal)("bulkhead %s is understood at a terminal", (line) => {
    const args = line.split(" ");
    const tool = readAuditTool(args);
    if (tool !== undefined) return expect(tool.kind).toBe(args[1]);
    if (args[0] === "templates") return expect(readTemplateTool(args)).not.toHaveProperty("problem");
    const onCluster = readDeclaredTool(args);
    if (onCluster !== undefined) return expect(onCluster).not.toHaveProperty("problem");
    const ofFile = readFlowFileTool(args);
    if (ofFile !== undefined) return expect(ofFile).not.toHaveProperty("problem");
    const onManifests = toolHelp(args) ?? readPolicyTool(args);
    if (onManifests !== undefined) return expect(onManifests).not.toHaveProperty("problem");
    const invocation = readArguments(args);
    if ("kind" in invocation) throw new Error(invocation.problem);
    return expect(kindOf(invocation.words.join(" "))).not.toBe("usage");
  });

  test("shows each command that there is, in Slack", () => {
    expect(new Set(typed.map((line) => kindOf(line.slice("/np ".length))))).toEqual(new Set(Object.keys(manuals)));
    expect(terminal.length).toBeGreaterThan(10);
  });
});

describe("The README's configuration", () => {
  const text = fenced("yaml").join("\n");
  const given = parseYaml(text) as Record<string, Record<string, unknown>>;

  test("is read without a problem", () => {
    expect(readConfig({}, text, () => undefined)).not.toHaveProperty("problems");
  });

  test("has every key of the schema", () => {
    const { clusters, endpoints, slack, terminal } = configFile.shape;
    expect(Object.keys(given).toSorted()).toEqual(Object.keys(configFile.shape).toSorted());
    expect(Object.keys(given["clusters"]?.["0"] ?? {}).toSorted()).toEqual(
      Object.keys(clusters.unwrap().element.shape).toSorted(),
    );
    for (const [name, section] of Object.entries({ endpoints, slack, terminal })) {
      expect(Object.keys(given[name] ?? {}).toSorted()).toEqual(Object.keys(section.unwrap().shape).toSorted());
    }
  });
});

test("The README's policy tests end as it shows", () => {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-readme-"));
  try {
    writeFileSync(join(folder, "policy-tests.yml"), fenced("yml").join("\n"));
    const [typed = "", ...shown] = fenced("console");
    const places: Readonly<Record<string, string>> = {
      "shop/": `${root}test/simulator/manifests/shop`,
      "policy-tests.yml": join(folder, "policy-tests.yml"),
    };
    const args = typed
      .split(" ")
      .slice(2)
      .map((word) => places[word] ?? word);
    const tool = readPolicyTool(args);
    if (tool === undefined || tool.kind === "problem") throw new Error(typed);
    expect(runPolicyTool(tool)).toEqual({ out: `${shown.join("\n")}\n`, err: [], code: 1 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("The README's tables", () => {
  test("Exit codes are those of the terminal", () => {
    const body = /const exitCodes[^{]*\{([^}]*)\}/.exec(readFileSync(`${root}src/cli.ts`, "utf8"))?.[1] ?? "";
    const coded = [...body.matchAll(/"?([a-z-]+)"?: (\d+)/g)].map(([, outcome = "", code]) => [Number(code), outcome]);
    const told = [...readme.matchAll(/^\| (\d) \| (.+) \|$/gm)].map(([, code, meaning]) => [Number(code), meaning]);
    const meanings: Record<string, string> = {
      usage: "usage or configuration",
      "needs-confirmation": "needs confirmation",
      "needs-approval": "needs approval of others",
      "not-isolated": "in force, but not proved isolated",
    };
    expect(told).toEqual(coded.map(([code, outcome = ""]) => [code, meanings[outcome] ?? outcome]));
    expect(told.length).toBeGreaterThan(0);
  });

  test("Metrics are those that the bot has", async () => {
    const exposed = [...(await createMetrics().text()).matchAll(/^# TYPE (bulkhead_\w+)/gm)].map(([, name]) => name);
    const told = [...readme.matchAll(/^\| `(bulkhead_\w+)`/gm)].map(([, name]) => name);
    expect(new Set(told)).toEqual(new Set(exposed));
    expect(told.length).toBe(exposed.length);
  });
});

test("Each room has a README", () => {
  const rooms = readdirSync(`${root}src`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, files: readdirSync(`${root}src/${name}`, { recursive: true, encoding: "utf8" }) }))
    .filter(({ files }) => files.some((file) => file.endsWith(".ts")));
  expect(rooms.length).toBeGreaterThan(5);
  expect(rooms.filter(({ files }) => !files.includes("README.md")).map(({ name }) => name)).toEqual([]);
});

test("What the README links to is there", () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path);
  const paths = [...readme.matchAll(/`(deploy\/[a-z.-]+\.(?:yaml|md))`/g)].map(([, path]) => path);
  for (const path of [...links, ...paths]) expect(() => readFileSync(`${root}${path}`), path).not.toThrow();
  expect(paths.length).toBeGreaterThan(1);
});

function kindOf(text: string): string {
  if (asksForForm(text)) return "quarantine";
  return parse(text).kind;
}

/** The lines of all fenced blocks of one language. */
function fenced(language: string): readonly string[] {
  return [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .flatMap(([, , body = ""]) => body.trimEnd().split("\n"));
}
