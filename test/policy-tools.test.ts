import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { toolHelp } from "../src/commands/tool-help.ts";
import { readPolicyTool } from "../src/policy-arguments.ts";
import { runPolicyTool, type ToolOutput } from "../src/policy-tools.ts";

const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
const simulator = fileURLToPath(new URL("simulator", import.meta.url));
const shop = join(simulator, "manifests/shop");
const expectations = join(simulator, "goldens/shop.expect.yaml");

const home = mkdtempSync(join(tmpdir(), "bulkhead-policy-tools-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** In a process of its own, with a configuration and addresses that would fail at once if they were read. */
async function bulkhead(...args: readonly string[]) {
  const env = {
    PATH: process.env["PATH"],
    BULKHEAD_CONFIG: join(home, "nowhere.yaml"),
    KUBECONFIG: join(home, "nowhere"),
    REDIS_URL: "no address",
    SLACK_BOT_TOKEN_FILE: join(home, "nowhere"),
  };
  const child = spawn(process.execPath, [cli, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

function problemOf(line: string): string {
  const tool = readPolicyTool(line.split(" "));
  if (tool?.kind !== "problem") throw new Error(`${line} is understood`);
  return tool.problem;
}

function run(...args: readonly string[]): ToolOutput {
  const tool = readPolicyTool(args);
  if (tool === undefined || tool.kind === "problem") throw new Error("not understood");
  return runPolicyTool(tool);
}

describe("A process", () => {
  test("answers without a cluster, Redis, Slack or a configuration", async () => {
    const [simulated, checked] = await Promise.all([
      bulkhead("simulate", "--manifests", shop),
      bulkhead("check", "--manifests", home, "--expect", expectations),
    ]);
    const golden = readFileSync(join(simulator, "goldens/shop.simulate.txt"), "utf8");
    expect(simulated).toEqual({ code: 0, out: golden, err: "" });
    expect(checked).toEqual({
      code: 2,
      out: "",
      err: `bulkhead: ${home}: holds no .yaml, .yml or .json file\nbulkhead: 1 problem in the input, so nothing is answered.\n`,
    });
  });

  test("has help for each tool, and names them where one is misspelt", async () => {
    const [help, typo] = await Promise.all([bulkhead("help"), bulkhead("chekc")]);
    expect(help.out).toMatch(/bulkhead simulate --manifests DIR[\s\S]*bulkhead check[\s\S]*bulkhead diff/);
    expect(typo.out).toContain('There is no command "chekc". Did you mean check?');
    expect(typo.code).toBe(2);
  });

  test.each(["diff --help", "help diff", "diff a -h"])("%s is the tool's page", (line) => {
    expect(toolHelp(line.split(" "))?.headline).toBe("bulkhead diff: what a change of manifests opens and closes");
  });

  test.each(["help", "help quarantine", "explain --help", "quarantine --help", "--help"])("%s is not", (line) => {
    expect(toolHelp(line.split(" "))).toBeUndefined();
  });
});

describe("Arguments", () => {
  test.each([
    ["simulate", "simulate: needs --manifests DIR, a folder of manifests."],
    ["simulate --manifest x", "simulate: there is no option --manifest. Did you mean --manifests?"],
    ["simulate --manifests", "simulate: --manifests needs a value."],
    ["simulate --manifests --output json", "simulate: --manifests needs a value."],
    ["simulate --manifests a --manifests b", "simulate: --manifests is given twice."],
    ["simulate --manifests a b", 'simulate: "b" is more than it takes.'],
    ["simulate --manifests a --output yaml", "simulate: --output takes text or json."],
    ["simulate --manifests a --engine clium", "simulate: --engine takes networkpolicy, cilium, calico, antrea."],
    ["simulate --manifests a --keep-going=no", "simulate: --keep-going takes no value."],
    ["explain --manifests a --from b", "explain: needs --from and --to, each as namespace/name."],
    ["explain --manifests a --from b/c --to d/e", "explain: needs --port, the port of the destination."],
    ["explain --manifests a --from b/c --to d/e --port http", "explain: --port takes a number from 1 to 65535."],
    ["explain --manifests a --from b/c --to d/e --port 65536", "explain: --port takes a number from 1 to 65535."],
    ["explain --manifests a --from b/c --to d/e --port 1 --protocol icmp", "explain: --protocol takes TCP, UDP, SCTP."],
    ["check --manifests a", "check: needs --expect FILE, a file of expectations."],
    ["diff a", "diff: needs two folders of manifests, before and after."],
    ["diff a b c", 'diff: "c" is more than it takes.'],
    ["diff a b --fail-on closing", "diff: --fail-on takes opening or change."],
  ])("%s is not understood, and why", (line, problem) => {
    expect(problemOf(line)).toBe(problem);
  });

  test.each(["status", "explain payments/a → db/b:1", "explain --from a/b --to c/d --port 1", "simulat"])(
    "%s is another command",
    (line) => expect(readPolicyTool(line.split(" "))).toBeUndefined(),
  );

  test("may stand anywhere, and as --name=value", () => {
    expect(
      readPolicyTool("simulate -o json --ip-block-matches-pods --manifests=a=b --engine cilium".split(" ")),
    ).toEqual({
      kind: "simulate",
      manifests: "a=b",
      output: "json",
      keepGoing: false,
      settings: { engine: "cilium", ipBlockMatchesPods: true },
    });
  });
});

describe("Files", () => {
  test("a JUnit report is written, also where the input is broken", () => {
    const junit = join(home, "report.xml");
    expect(run("check", "--manifests", shop, "--expect", expectations, "--junit", junit).code).toBe(1);
    expect(readFileSync(junit, "utf8")).toContain('tests="6" failures="2" errors="0"');
    expect(run("check", "--manifests", home, "--expect", expectations, "--junit", junit).code).toBe(2);
    expect(readFileSync(junit, "utf8")).toContain('tests="1" failures="0" errors="1"');
  });

  test("a JUnit report that cannot be written is a failure, whatever was checked", () => {
    const { out, err, code } = run("check", "--manifests", shop, "--expect", expectations, "--junit", home);
    expect({ out, code }).toEqual({ out: "", code: 2 });
    expect(err[0]).toBe(`${home}: cannot be written: is a folder`);
  });

  test("a file of expectations that is not there is named", () => {
    const { err, code } = run("check", "--manifests", shop, "--expect", join(home, "none.yaml"));
    expect({ first: err[0], code }).toEqual({ first: `${home}/none.yaml: there is no such file or folder`, code: 2 });
  });

  test("a file that is too large is named and not read", () => {
    const large = mkdtempSync(join(home, "large-"));
    writeFileSync(join(large, "a.yaml"), "");
    truncateSync(join(large, "a.yaml"), 17 * 1024 * 1024);
    const { err, code } = run("simulate", "--manifests", large);
    expect(code).toBe(2);
    expect(err[0]).toMatch(/^a\.yaml: is 17 MiB, more than the 16 MiB that are read; as JSON it may be larger/);
  });

  test("both folders of a difference are named where they are broken", () => {
    const broken = mkdtempSync(join(home, "broken-"));
    writeFileSync(join(broken, "a.yaml"), "text");
    const { err, code } = run("diff", join(home, "none"), shop);
    expect(code).toBe(2);
    expect(run("diff", shop, broken).err[0]).toBe(`${broken}/a.yaml: is plain text, no Kubernetes object`);
    expect(err).toEqual([
      `${home}/none: there is no such file or folder`,
      "1 problem in the input, so nothing is answered.",
    ]);
  });

  test("what can no longer be decided fails a difference that must not open anything", () => {
    const [before, after] = ["before-", "after-"].map((name) => mkdtempSync(join(home, name)));
    const policy = (rule: string) =>
      `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {}}\n---\n{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: a}, spec: {endpointSelector: {}, egress: [${rule}]}}`;
    writeFileSync(join(before ?? "", "a.yaml"), policy("{}"));
    writeFileSync(join(after ?? "", "a.yaml"), policy("{toFQDNs: [{matchName: a.example}]}"));
    const codes = [[], ["--fail-on", "opening"], ["--fail-on", "change"]].map(
      (options) => run("diff", before ?? "", after ?? "", ...options).code,
    );
    expect(codes).toEqual([0, 1, 1]);
    expect(run("diff", after ?? "", before ?? "", "--fail-on", "opening").code).toBe(0);
  });

  test("what is left out of the answer is said beside it, by every tool", () => {
    const left = mkdtempSync(join(home, "left-"));
    const aws = "{apiVersion: networking.k8s.aws/v1alpha1, kind: ClusterNetworkPolicy, metadata: {name: x}}";
    writeFileSync(join(left, "a.yaml"), `${aws}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {}}`);
    const tests = join(home, "tests.yml");
    writeFileSync(tests, "{version: 1, expect: [{from: internet, to: default/p, port: any, is: allowed}]}");
    const ends = ["--from", "internet", "--to", "default/p", "--port", "1"];
    const told = [run("explain", "--manifests", left, ...ends), run("check", "--manifests", left, "--expect", tests)];
    const warning =
      "a.yaml: document 1: apiVersion: ClusterNetworkPolicy of networking.k8s.aws is not evaluated: left out";
    for (const { err, code } of told) expect({ err: [...new Set(err)], code }).toEqual({ err: [warning], code: 0 });
    const [one, other] = [join(home, "one"), join(home, "other")];
    for (const copy of [one, other]) cpSync(left, copy, { recursive: true });
    expect(run("diff", one, other).err).toEqual([`${one}: ${warning}`, `${other}: ${warning}`]);
    expect(run("simulate", "--manifests", left).out).toContain(`Warnings:\n  ${warning}\n`);
  });

  test("a folder without workloads is told from one in which nothing may connect", () => {
    const bare = mkdtempSync(join(home, "bare-"));
    writeFileSync(join(bare, "a.yaml"), "{apiVersion: v1, kind: Namespace, metadata: {name: n}}");
    const warning = "There is no workload and no pod, so there is nothing that could connect.";
    expect(run("simulate", "--manifests", bare).out).toContain(`Warnings:\n  ${warning}`);
    expect(run("diff", shop, bare).err).toEqual([`${bare}: ${warning}`]);
  });

  test("a workload whose pods policies may tell apart is named where one pod stands for all", () => {
    const uneven = mkdtempSync(join(home, "uneven-"));
    const pod = (name: string, app: string) =>
      `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: {app: ${app}}, ownerReferences: [{kind: ReplicaSet, name: w, controller: true}]}, spec: {}}`;
    const policy = (key: string) =>
      `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {matchLabels: {${key}: b}}}}`;
    const write = (key: string) =>
      writeFileSync(join(uneven, "a.yaml"), [pod("w-0", "a"), pod("w-1", "b"), policy(key)].join("\n---\n"));
    write("app");
    const { out } = run("simulate", "--manifests", uneven);
    expect(out).toContain("The 2 pods of default/w[ReplicaSet] differ in what policies look at: w-0 stands for all");
    write("tier");
    expect(run("simulate", "--manifests", uneven).out).not.toContain("Warnings");
  });

  test("names from outside cannot steer the terminal", () => {
    const hostile = mkdtempSync(join(home, "hostile-"));
    writeFileSync(join(hostile, "a\u001b[31m.yaml"), 'kind: "\u202e\\u001b[31mPod"\napiVersion: 1');
    expect(run("simulate", "--manifests", hostile).err.join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
