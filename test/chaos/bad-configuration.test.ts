import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

/** The bot's process with a configuration that it must not start with. */
const entryPoint = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const secrets = { SLACK_BOT_TOKEN: "xoxb-1", SLACK_APP_TOKEN: "xapp-1", REDIS_URL: "redis://127.0.0.1:1" };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-bad-configuration-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** One that is fine in itself, so that it is no problem of its own. */
const somewhere = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
  users: [{ name: "u", user: { token: "t" } }],
  contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
  "current-context": "x",
});

type Ended = { readonly code: number | null; readonly said: string };

async function start(file: string, env: Readonly<Record<string, string>> = secrets): Promise<Ended> {
  const config = join(folder, "config.yaml");
  const kubeconfig = join(folder, "kubeconfig");
  await Promise.all([writeFile(config, file), writeFile(kubeconfig, somewhere)]);
  const child = spawn(process.execPath, [entryPoint], {
    env: { PATH: process.env["PATH"], BULKHEAD_CONFIG: config, KUBECONFIG: kubeconfig, PORT: "0", ...env },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 20_000,
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  return { code: code as number | null, said };
}

test.each([
  ["YAML that does not end", 'access: [{ principals: ["slack:T1/U1"', [/configuration: /]],
  ["YAML with tabs", "slack:\n\tcommand: /np", [/configuration: .*tab/i]],
  ["a key twice", "port: 1\nport: 2", [/unique/]],
  ["aliases that grow without end", bomb(), [/alias/i]],
  ["a list instead of keys", "- port: 1", [/configuration: is a list/]],
  [
    "keys that there are not",
    "acess: []\nslack: { comand: /np }",
    [/acess: is no key .* access/, /slack\.comand: is no key .* command/],
  ],
  [
    "values of the wrong type",
    "port: many\nsettle: 2\naccess: nobody\nslack: []\nprotectedNamespaces: kube-system",
    [/^bulkhead: port: /m, /settle: /, /access: /, /slack: /, /protectedNamespaces: /],
  ],
  ["numbers out of range", "port: 70000\nsettle: 900000d", [/port: /, /settle: .*no time/]],
  ["a number below zero", "port: -1", [/port: /]],
  [
    "access for names, for verbs that there are not, and for half a pattern",
    'access: [{ principals: ["@alice"], verbs: [destroy], namespaces: ["*-prod"] }]',
    [/access.0.principals.0: /, /access.0.verbs.0: /, /access.0.namespaces.0: /],
  ],
  [
    "endpoints without a peer, with both kinds, and with an address that is none",
    `endpoints: { forensics: [${endpoint("")}, ${endpoint(", podSelector: {}, ipBlock: { cidr: 10.0.0.0/8 }")}], monitoring: [${endpoint(", ipBlock: { cidr: 10.0.0.999/8 }")}] }`,
    [/endpoints.forensics.0: needs either/, /endpoints.forensics.1: needs either/, /endpoints.monitoring.0.*no CIDR/],
  ],
  ["a team that is a name, a command without its slash", "slack: { command: np, teams: [acme] }", [/slash/, /team/]],
] as const)("With %s the bot exits with 2 and names it", async (_, file, named) => {
  const { code, said } = await start(file);
  expect(code).toBe(2);
  for (const problem of named) expect(said).toMatch(problem);
  expect(said).not.toMatch(/^\s+at |kubeconfig/m);
});

test("Without any secret the bot exits with 2 and names them all", async () => {
  const { code, said } = await start("", {});
  expect(code).toBe(2);
  for (const name of ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "REDIS_URL"]) expect(said).toContain(name);
});

test("With secrets that cannot be used the bot exits with 2, names them all and repeats none", async () => {
  const bad = { SLACK_BOT_TOKEN_FILE: "/nowhere/token", SLACK_APP_TOKEN: "xapp-1", REDIS_URL: "http://:hunter2@redis" };
  const { code, said } = await start("", bad);
  expect(code).toBe(2);
  expect(said).toMatch(/SLACK_BOT_TOKEN_FILE: .*cannot be read/);
  expect(said).toMatch(/REDIS_URL: is not of the form redis/);
  expect(said).not.toContain("hunter2");
});

function endpoint(more: string): string {
  return `{ name: x, direction: both${more} }`;
}

function bomb(): string {
  const lines = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`);
  return ["a0: &a0 [x]", ...lines].join("\n");
}
