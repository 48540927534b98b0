import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { marks } from "../src/policy/marks.ts";
import { type SandboxCluster, startSandboxCluster } from "../src/sandbox/kubernetes/cluster.ts";
import { seedObjects } from "../src/sandbox/kubernetes/seed.ts";
import { connectTestRedis, testRedisUrl } from "./redis.ts";

const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));

let folder: string;
let cluster: SandboxCluster;
let redis: Redis;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-cli-"));
  cluster = await startSandboxCluster({
    objects: seedObjects(),
    users: { "token-of-jane": { name: "jane", groups: ["system:masters", "system:authenticated"] } },
  });
  redis = await connectTestRedis();
  await writeFile(join(folder, "kubeconfig"), cluster.kubeconfigFor("token-of-jane"));
  const config = {
    clusters: [{ name: "sandbox", enforcement: "enforced" }],
    settle: "0s",
    access: [{ principals: ["terminal:jane"], verbs: ["*"], namespaces: ["shop", "payments"] }],
    terminal: { user: "only where the API server does not say" },
  };
  await writeFile(join(folder, "config.yaml"), stringify(config));
});

afterAll(async () => {
  await cluster?.close();
  redis?.disconnect();
  await rm(folder, { recursive: true, force: true });
});

type Run = { readonly code: number; readonly out: string; readonly err: string };

async function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { PATH: process.env["PATH"], HOME: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

/** A terminal that has everything. */
function bulkhead(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return run(args, {
    KUBECONFIG: join(folder, "kubeconfig"),
    BULKHEAD_CONFIG: join(folder, "config.yaml"),
    REDIS_URL: testRedisUrl(),
    ...env,
  });
}

function podOf(namespace: string, app: string): string {
  const pods = cluster.objects("Pod", namespace).filter(({ metadata }) => metadata.labels?.["app"] === app);
  return pods[0]?.metadata.name ?? "";
}

const ours = () => cluster.objects("NetworkPolicy").filter(({ metadata }) => metadata.labels?.[marks.operation]);

describe("without cluster and configuration", () => {
  test("help answers at once and exits 0", async () => {
    const startedAt = Date.now();
    const { code, out } = await run(["help"], {});
    expect(code).toBe(0);
    expect(out).toMatch(/quarantine/);
    expect(Date.now() - startedAt).toBeLessThan(3_000);
  });

  test("--help after a command is that command's page", async () => {
    const { code, out } = await run(["release", "--help"], {});
    expect(code).toBe(0);
    expect(out).toMatch(/--delete-pod/);
  });

  test.for([
    [["quarntine", "shop/x"], /quarantine/],
    [["quarantine"], /Usage/i],
    [["status", "--output", "xml"], /--output takes text or json/],
    [["audit", "verify", "--form", "x"], /there is no option --form/],
    [["audit", "confirm"], /needs --from FILE/],
    [["audit", "export", "--output", "csv"], /ndjson only.*--incident/],
    [["audit", "export", "--incident", "a/b"], /incident's id has letters/],
    [["audit", "export", "--incident", "INC-1", "--output", "ndjson"], /markdown, json or csv/],
  ] as const)("the typing error %j exits 2 and says what is right", async ([args, expected]) => {
    const { code, out, err } = await run(args, {});
    expect(code).toBe(2);
    expect(out + err).toMatch(expected);
  });

  test("A broken configuration exits 2 and lists every problem", async () => {
    const path = join(folder, "broken.yaml");
    await writeFile(path, "settle: soon\nport: 70000\nnosuchkey: 1\n");
    const { code, out, err } = await bulkhead(["status"], { BULKHEAD_CONFIG: path, REDIS_URL: "http://redis" });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err.trim().split("\n")).toHaveLength(4);
    for (const problem of [/settle/, /port/, /nosuchkey/, /REDIS_URL/]) expect(err).toMatch(problem);
    await writeFile(path, "access: [\nsettle: 2s: 3s\n");
    const broken = await bulkhead(["status"], { BULKHEAD_CONFIG: path });
    expect(broken.code).toBe(2);
    expect(broken.err).toMatch(/configuration: /);
  });

  test("A cluster that cannot be reached exits 1 and says so on standard error", async () => {
    const { code, out, err } = await bulkhead(["status"], { KUBECONFIG: join(folder, "nowhere") });
    expect(code).toBe(1);
    expect(out + err).toMatch(/nowhere|reach/i);
  });
});

describe("with a cluster and Redis", () => {
  test("quarantine without --yes prints the plan, exits 4 and writes nothing", async () => {
    const pod = podOf("shop", "frontend");
    const { code, out } = await bulkhead(["quarantine", `shop/${pod}`]);
    expect(code).toBe(4);
    expect(out).toMatch(/Plan: quarantine shop/);
    expect(out).toMatch(/Nothing was written/);
    expect(ours()).toEqual([]);
    expect(await redis.keys("*operation*")).toEqual([]);
  });

  test("with --yes it isolates and exits 0, then status shows it, release ends it and the chain verifies", async () => {
    const pod = podOf("shop", "frontend");
    const isolated = await bulkhead(["quarantine", `shop/${pod}`, "odd traffic", "--yes", "--output", "json"]);
    expect(isolated).toMatchObject({ code: 0 });
    expect(JSON.parse(isolated.out)).toMatchObject({
      headline: `ISOLATED FOR NEW CONNECTIONS (shop/${pod})`,
      outcome: "ok",
      operation: expect.stringMatching(/^q-/),
    });
    expect(ours()).toHaveLength(1);
    expect((await bulkhead(["status", "shop"])).out).toMatch(new RegExp(`shop/${pod} quarantined for`));
    const released = await bulkhead(["release", `shop/${pod}`, "--yes"]);
    expect(released).toMatchObject({ code: 0, out: expect.stringContaining(`Released: shop/${pod}`) });
    expect(ours()).toEqual([]);
    const verified = await bulkhead(["audit", "verify"]);
    expect(verified).toMatchObject({ code: 0, out: expect.stringContaining("The chain is intact: 4 entries") });
    const exported = await bulkhead(["audit", "export", "--output", "ndjson"]);
    const lines = exported.out.trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([1, 2, 3, 4]);
  });

  test("audit confirm compares an export with the chain, and records that it is kept", async () => {
    const file = join(folder, "audit.ndjson");
    await writeFile(file, (await bulkhead(["audit", "export", "--output", "ndjson"])).out);
    const confirmed = await bulkhead(["audit", "confirm", "--from", file]);
    expect(confirmed).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Confirmed: the export holds all up to #\d+ /),
    });
    expect(await bulkhead(["audit", "confirm", "--from", file])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^Not confirmed: everything up to entry \d+ is confirmed already\.$/m),
    });
    expect(await bulkhead(["audit", "verify", "--from", file])).toMatchObject({ code: 0 });
  });

  test("audit export --incident writes what was done for it as Markdown, from the chain and from its copies", async () => {
    const pod = podOf("shop", "frontend");
    await bulkhead(["quarantine", `shop/${pod}`, "--yes"], { BULKHEAD_INCIDENT: "INC-77" });
    const exported = await bulkhead(["audit", "export", "--incident", "INC-77", "--output", "markdown"]);
    expect(exported).toMatchObject({ code: 0, err: expect.stringContaining("2 entries of incident INC-77 exported") });
    expect(exported.out).toMatch(/^# Incident INC-77: .*## Timeline\n\n\| Time \(UTC\) \|/s);
    expect(exported.out).toMatch(/- Audit chain: The chain is intact: \d+ entries, head #\d+ [0-9a-f]{64}/);
    expect(exported.out).toContain(`ISOLATED FOR NEW CONNECTIONS (shop/${pod})`);
    expect(exported.out).toMatch(/## Open items\n\n- q-\w{7}, quarantine of Pod shop/);
    await bulkhead(["release", `shop/${pod}`, "--yes"]);
    const chain = await bulkhead(["audit", "export", "--output", "ndjson"]);
    const copies = join(folder, "copies.log");
    await writeFile(copies, chain.out.replaceAll(/^(.+)$/gm, '{"audit":$1}'));
    const from = ["audit", "export", "--incident", "INC-77", "--from", copies];
    const again = await bulkhead(from, { REDIS_URL: "" });
    expect(again).toMatchObject({ code: 0, err: expect.stringContaining("4 entries of incident INC-77") });
    expect(again.out).toMatch(/## Open items\n\nNone that the audit knows of\./);
    expect((await bulkhead([...from, "--output", "csv"])).out.trim().split(/\r?\n/)).toHaveLength(5);
    const none = await bulkhead(["audit", "export", "--incident", "INC-78"]);
    expect(none).toMatchObject({ code: 1, out: "", err: expect.stringContaining("No entry of the audit belongs") });
  });

  test("BULKHEAD_INCIDENT is the incident of what is written, --incident wins, and no id is a usage problem", async () => {
    const target = `shop/${podOf("shop", "frontend")}`;
    const json = ["--dry-run", "--output", "json"];
    const given = await bulkhead(["quarantine", target, ...json], { BULKHEAD_INCIDENT: "INC-1" });
    expect(given).toMatchObject({ code: 0, out: expect.stringContaining('["Incident","INC-1"]') });
    const named = ["quarantine", target, "--incident", "INC-2", ...json];
    expect((await bulkhead(named, { BULKHEAD_INCIDENT: "INC-1" })).out).toContain('["Incident","INC-2"]');
    const broken = await bulkhead(["quarantine", target, ...json], { BULKHEAD_INCIDENT: "a/b" });
    expect(broken).toMatchObject({ code: 2, out: "", err: expect.stringContaining("BULKHEAD_INCIDENT") });
    expect((await bulkhead(["help"], { BULKHEAD_INCIDENT: "a/b" })).code).toBe(0);
  });

  test("Where policies still let something through it exits 5", async () => {
    const { code, out } = await bulkhead(["quarantine", `payments/${podOf("payments", "checkout")}`, "--yes"]);
    expect(code).toBe(5);
    expect(out).toMatch(/NOT ISOLATED/);
  });

  test("A refusal exits 3 and writes nothing", async () => {
    const before = ours().length;
    const { code, out } = await bulkhead(["quarantine", "db/postgres-0", "--yes", "--output", "json"]);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({ outcome: "refused" });
    expect(ours()).toHaveLength(before);
  });

  test("whoami says who and from where", async () => {
    const { code, out } = await bulkhead(["whoami"]);
    expect(code).toBe(0);
    expect(out).toMatch(/SelfSubjectReview.*terminal:jane/s);
  });
});
