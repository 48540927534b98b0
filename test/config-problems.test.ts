import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Environment, readConfig } from "../src/config.ts";
import { checkout } from "./deploy/manifests.ts";

/** Nothing is wrong with these: each row below breaks something in them. */
const sound: Environment = {
  SLACK_BOT_TOKEN: "xoxb-hunter2",
  SLACK_APP_TOKEN: "xapp-hunter2",
  REDIS_URL: "redis://:hunter2@redis:6379",
  KUBECONFIG: "/kube/config",
};
const kubeconfig = {
  clusters: [{ name: "eu", cluster: { server: "https://127.0.0.1:6443" } }],
  contexts: [
    { name: "eu", context: { cluster: "eu" } },
    { name: "lost", context: { cluster: "gone" } },
  ],
  "current-context": "eu",
};
const files: Readonly<Record<string, string>> = {
  "/kube/config": JSON.stringify(kubeconfig),
  "/kube/no-current": JSON.stringify({ ...kubeconfig, "current-context": "" }),
  "/kube/broken": "clusters: [hunter2",
  "/kube/list": "- hunter2",
  "/ca/none": "hunter2",
  "/ca/some": "-----BEGIN CERTIFICATE-----\n",
  "/run/empty": "\n",
};

function problemsOf(text: string | undefined, env: Environment = {}): readonly string[] {
  const loaded = readConfig({ ...sound, ...env }, text, (path) => files[path], "bot");
  return "problems" in loaded ? loaded.problems : [];
}

type Row = readonly [text: string, ...problems: string[]];

const ofTheFile: readonly Row[] = [
  ["acess: []", "acess: is no key here. Did you mean access?"],
  ["slack: { team: [] }", "slack.team: is no key here. Did you mean teams?"],
  ["terminal: { nonsense: 1 }", "terminal.nonsense: is no key here. Keys are: user."],
  ["settle: 2", "settle: is a number; expected text"],
  ["settle: soon", 'settle: "soon" is no time such as 2s or 1h30m'],
  ["access:", "access: is empty; expected a list"],
  ["access: { principals: [] }", "access: is a mapping; expected a list"],
  ["access: [anybody]", "access.0: is text; expected a mapping"],
  [
    "access: [{ verbs: [] }]",
    "access.0.principals: is missing; expected a list",
    "access.0.namespaces: is missing; expected a list",
  ],
  ["port: '80'", "port: is text; expected a number"],
  ["port: 80.5", "port: is a number; expected a whole number"],
  ["port: -1", "port: too small: expected number to be >=0"],
  ["protectedNamespaces: [kube_system]", "protectedNamespaces.0: is no namespace's name"],
  ["protectedNamespaces: [7]", "protectedNamespaces.0: is a number; expected text"],
  ["slack: { command: np }", "slack.command: is no slash command"],
  ["slack: { teams: [acme] }", "slack.teams.0: is no team id"],
  ["clusters: []", "clusters: names no cluster"],
  ["clusters: [{}]", "clusters.0.name: is missing; expected text"],
  [
    "clusters: [{ name: eu, enforcement: enforce }]",
    "clusters.0.enforcement: expected one of enforced, not-enforced, unknown. Did you mean enforced?",
  ],
  [
    "endpoints: { forensics: [{ name: lab, direction: out, podSelectr: {} }] }",
    "endpoints.forensics.0.direction: expected one of ingress, egress, both.",
    "endpoints.forensics.0.podSelectr: is no key here. Did you mean podSelector?",
    "endpoints.forensics.0: needs either ipBlock, or podSelector and/or namespaceSelector",
  ],
  [
    "endpoints: { monitoring: [{ name: a, direction: both, podSelector: {}, ports: [{ port: [] }] }] }",
    "endpoints.monitoring.0.ports.0.port: is a list; expected a number; or is a list; expected text",
  ],
  [
    "endpoints: { monitoring: [{ name: a, direction: both, podSelector: { matchLabels: { app: 1 } } }] }",
    "endpoints.monitoring.0.podSelector.matchLabels.app: is a number; expected text",
  ],
  [
    "endpoints: { monitoring: [{ name: a, direction: both, podSelector: {} }, { name: a, direction: both, podSelector: {} }] }",
    "endpoints.monitoring.1.name: is the name of endpoints.monitoring.0 already",
  ],
  ["- access", "configuration: is a list; expected a mapping"],
  ["text", "configuration: is text; expected a mapping"],
  ["port: 1\nport: 2", "configuration: Map keys must be unique at line 2, column 1"],
  [
    "access: [",
    "configuration: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 10",
  ],
  ["settle: *hunter2", "configuration: Unresolved alias (the anchor must be set before the alias): …"],
];

const ofTheEnvironment: readonly (readonly [Environment, ...string[]])[] = [
  [
    { SLACK_BOT_TOKEN: undefined },
    "SLACK_BOT_TOKEN: is not set; expected a bot token (xoxb-…, from the Slack app's page), here or in the file that SLACK_BOT_TOKEN_FILE names",
  ],
  [
    { SLACK_APP_TOKEN: "" },
    "SLACK_APP_TOKEN: is not set; expected an app-level token (xapp-…, with connections:write), here or in the file that SLACK_APP_TOKEN_FILE names",
  ],
  [{ SLACK_APP_TOKEN: "xoxb-hunter2" }, "SLACK_APP_TOKEN: is not an app-level token (xapp-…, with connections:write)"],
  [{ SLACK_BOT_TOKEN: "xoxb-hunter2\n" }, "SLACK_BOT_TOKEN: is not a bot token (xoxb-…, from the Slack app's page)"],
  [{ SLACK_BOT_TOKEN_FILE: "/run/nothing" }, "SLACK_BOT_TOKEN_FILE: /run/nothing cannot be read or is empty"],
  [{ REDIS_URL_FILE: "/run/empty" }, "REDIS_URL_FILE: /run/empty cannot be read or is empty"],
  [
    { REDIS_URL: "http://:hunter2@redis" },
    "REDIS_URL: is not of the form redis[s]://[user:password@]host:port[/database] or redis[s]+sentinel://[user:password@]host:port,host:port/name[/database]",
  ],
  [{ BULKHEAD_CONFIG: "/nowhere.yaml" }, "BULKHEAD_CONFIG: /nowhere.yaml cannot be read"],
  [{ KUBECONFIG: "/kube/nothing" }, "KUBECONFIG: /kube/nothing cannot be read"],
  [{ KUBECONFIG: "", HOME: "/root" }, "kubeconfig: /root/.kube/config cannot be read"],
  [{ KUBECONFIG: "/kube/broken" }, "KUBECONFIG: /kube/broken is no YAML, at line 1"],
  [{ KUBECONFIG: "/kube/list" }, "KUBECONFIG: /kube/list is no kubeconfig"],
  [
    { KUBECONFIG: "/kube/no-current" },
    "KUBECONFIG: /kube/no-current has no current context, and no context is configured (it has eu, lost)",
  ],
  [{ HTTPS_PROXY: "proxy:3128" }, "HTTPS_PROXY: is no address such as http://host:port"],
  [{ SLACK_API_URL: "slack.com/api" }, "SLACK_API_URL: is no address such as http://host:port"],
  [{ NODE_EXTRA_CA_CERTS: "/ca/none" }, "NODE_EXTRA_CA_CERTS: /ca/none cannot be read or holds no PEM certificate"],
];

describe("A bad configuration is refused", () => {
  test.for(ofTheFile)("%s", ([text, ...expected]) => {
    expect(new Set(problemsOf(text))).toEqual(new Set(expected));
  });

  test.for(ofTheEnvironment)("%j", ([env, ...expected]) => {
    expect(problemsOf(undefined, env)).toEqual(expected);
  });

  test.for([
    ["clusters: [{ name: eu, kubeconfig: /kube/nothing }]", "clusters.0.kubeconfig: /kube/nothing cannot be read"],
    ["clusters: [{ name: eu, context: us }]", "clusters.0.context: the kubeconfig has no context us (it has eu, lost)"],
    [
      "clusters: [{ name: eu, context: lost }]",
      "KUBECONFIG: context lost names a cluster that the kubeconfig does not have",
    ],
  ] as const)("%s", ([text, expected]) => {
    expect(problemsOf(text)).toEqual([expected]);
  });

  test("and nothing is said of one that is sound, in a pod or out of it", () => {
    expect(problemsOf("access: []", { NODE_EXTRA_CA_CERTS: "/ca/some", HTTPS_PROXY: "http://p:3128" })).toEqual([]);
    expect(problemsOf(undefined, { KUBECONFIG: undefined, KUBERNETES_SERVICE_HOST: "10.0.0.1" })).toEqual([]);
    expect(problemsOf("", { KUBECONFIG: "/kube/no-current:/kube/config" })).toEqual([]);
  });

  test("with all of its problems in one go, wherever they come from", () => {
    const text = "acess: []\nport: no\nclusters: [{ name: a }, { name: a, kubeconfig: /kube/nothing }]";
    const env = { SLACK_BOT_TOKEN: undefined, SLACK_APP_TOKEN: "x", REDIS_URL: "x", NODE_EXTRA_CA_CERTS: "/x" };
    const places = problemsOf(text, env).map((problem) => problem.split(":")[0] ?? "");
    const expected = ["NODE_EXTRA_CA_CERTS", "REDIS_URL", "SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "acess", "port"];
    expect(new Set(places)).toEqual(new Set([...expected, "clusters.1.kubeconfig", "clusters.1.name"]));
  });

  test("without a secret in any line", () => {
    const rows = [
      ...ofTheFile.map(([text]) => problemsOf(text)),
      ...ofTheEnvironment.map(([env]) => problemsOf(undefined, env)),
      problemsOf("settle: xoxb-hunter2\nhunter2: 1"),
      problemsOf("settle: redis://:hunter2@redis\nxapp-hunter2: 1", { SLACK_APP_TOKEN: "xapp-other" }),
    ];
    expect(rows.flat().length).toBeGreaterThan(45);
    expect(rows.flat().filter((line) => line.includes("hunter2"))).toEqual([]);
  });

  test("where a file is there that cannot be read, named or not", () => {
    const problemsOfNull = (env: Environment) => readConfig({ ...sound, ...env }, null, (path) => files[path], "bot");
    expect(problemsOfNull({})).toEqual({ problems: ["configuration: /etc/bulkhead/config.yaml cannot be read"] });
    expect(problemsOfNull({ BULKHEAD_CONFIG: "/x" })).toEqual({ problems: ["BULKHEAD_CONFIG: /x cannot be read"] });
  });

  test("though a terminal does without secrets, and does not look for the kubeconfigs of the bot's pod", () => {
    const text = "clusters: [{ name: eu, kubeconfig: /kube/nothing }]";
    expect(readConfig({}, text, () => undefined)).toHaveProperty("config");
  });
});

describe("The process itself", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bulkhead-start-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const start = async (env: Environment, text?: string) => {
    const config = join(folder, "config.yaml");
    if (text !== undefined) await writeFile(config, text);
    const given = text === undefined ? {} : { BULKHEAD_CONFIG: config };
    return promisify(execFile)(process.execPath, [join(checkout, "src/main.ts")], {
      env: { PATH: process.env["PATH"], HOME: folder, ...given, ...env },
      timeout: 20_000,
    }).catch((error: { code: number; stdout: string; stderr: string }) => error);
  };

  test("ends with 2 and says everything that it lacks, a line each", async () => {
    const { code, stdout, stderr } = (await start({})) as { code: number; stdout: string; stderr: string };
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringMatching(/^bulkhead: SLACK_BOT_TOKEN: is not set/),
      expect.stringMatching(/^bulkhead: SLACK_APP_TOKEN: is not set/),
      expect.stringMatching(/^bulkhead: REDIS_URL: is not set/),
      expect.stringMatching(/^bulkhead: kubeconfig: .*\/\.kube\/config cannot be read$/),
    ]);
  });

  test("tells of the file and of the environment together, and shows no secret", async () => {
    const env = { ...sound, KUBECONFIG: join(folder, "none"), SLACK_APP_TOKEN: "hunter2" };
    const { code, stderr } = (await start(env, "acess: []\nsettle: hunter2\n")) as { code: number; stderr: string };
    expect(code).toBe(2);
    expect(stderr).not.toContain("hunter2");
    for (const place of ["acess", "settle", "SLACK_APP_TOKEN", "KUBECONFIG"]) {
      expect(stderr).toMatch(new RegExp(`^bulkhead: ${place}: `, "m"));
    }
  });

  test("refuses a file that is a folder", async () => {
    const { code, stderr } = (await start({ ...sound, BULKHEAD_CONFIG: folder })) as { code: number; stderr: string };
    expect(code).toBe(2);
    expect(stderr).toContain(`bulkhead: BULKHEAD_CONFIG: ${folder} cannot be read`);
  });

  test("refuses broken YAML beside a token that is missing", async () => {
    const { code, stderr } = (await start({ ...sound, SLACK_BOT_TOKEN: "" }, "access: [")) as {
      code: number;
      stderr: string;
    };
    expect(code).toBe(2);
    expect(stderr).toMatch(/^bulkhead: configuration: .* line 1/m);
    expect(stderr).toMatch(/^bulkhead: SLACK_BOT_TOKEN: is not set/m);
  });
});
