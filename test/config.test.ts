import { describe, expect, test } from "vitest";
import { type Environment, readConfig } from "../src/config.ts";
import { slackConfig } from "../src/slack-settings.ts";

const nothing = () => undefined;

function problemsOf(
  text: string | undefined,
  env: Environment = {},
  read: (path: string) => string | undefined = nothing,
) {
  const loaded = readConfig(env, text, read);
  return "problems" in loaded ? loaded.problems : [];
}

function configOf(
  text: string | undefined,
  env: Environment = {},
  read: (path: string) => string | undefined = nothing,
) {
  const loaded = readConfig(env, text, read);
  if ("problems" in loaded) throw new Error(loaded.problems.join("\n"));
  return loaded.config;
}

describe("defaults", () => {
  test("Without a file nobody may do anything, enforcement is unknown and kube-system is protected", () => {
    expect(configOf(undefined)).toMatchObject({
      settings: {
        access: { rules: [], people: [] },
        protectedNamespaces: ["kube-system"],
        ownNamespace: "bulkhead",
        settleMs: 2_000,
        realiseMs: 15_000,
        writesCalicoStorage: false,
        detach: true,
        limits: { pods: 5, perPerson: 10, perCluster: 30 },
      },
      clusters: [{ name: "default", enforcement: "unknown" }],
      slack: { command: "/np", apiUrl: "https://slack.com/api/", teams: undefined },
      port: 8080,
    });
  });

  test("Templates are those that ship, of the configuration, or of the environment, the last before the others", () => {
    expect(configOf(undefined).templates).toMatch(/\/runbooks\/allowlists$/);
    expect(configOf("templates: /etc/ours").templates).toBe("/etc/ours");
    expect(configOf("templates: /etc/ours", { BULKHEAD_TEMPLATES: "/mine" }).templates).toBe("/mine");
    expect(problemsOf("templates: [a]")).toEqual(["templates: is a list; expected text"]);
  });

  test("Changes of policies are kept for thirty days, fifty of each policy, or as configured", () => {
    expect(configOf(undefined).history).toEqual({ keepMs: 30 * 86_400_000, perPolicy: 50 });
    expect(configOf("history: { keepFor: 7d, perPolicy: 10 }").history).toEqual({
      keepMs: 7 * 86_400_000,
      perPolicy: 10,
    });
    expect(problemsOf("history: { keepFor: 0s, perPolicy: 0 }")).toHaveLength(2);
  });

  test("POD_NAMESPACE and PORT decide where the bot lives, and a PORT that is none does not", () => {
    expect(configOf("port: 9000", { POD_NAMESPACE: "sec", PORT: "0" })).toMatchObject({
      settings: { ownNamespace: "sec" },
      port: 0,
    });
    expect(configOf("port: 9000", { PORT: "tcp://10.0.0.1:80" }).port).toBe(9000);
  });
});

describe("problems", () => {
  test("are all reported at once, each with its place", () => {
    const text = `
settle: soon
port: 70000
protectedNamespaces: ["Kube_System"]
slack: { command: np, teams: [acme] }
access:
  - { principals: ["slack:alice"], verbs: [explode], namespaces: ["*pay"] }
`;
    const problems = problemsOf(text, { REDIS_URL: "redis.example:6379", SLACK_BOT_TOKEN_FILE: "/nowhere" });
    const places = [
      "settle",
      "port",
      "protectedNamespaces.0",
      "slack.command",
      "slack.teams.0",
      "access.0.principals.0",
      "access.0.verbs.0",
      "access.0.namespaces.0",
      "REDIS_URL",
      "SLACK_BOT_TOKEN_FILE",
    ];
    expect(problems).toHaveLength(places.length);
    expect(new Set(problems.map((problem) => problem.split(":")[0]))).toEqual(new Set(places));
  });

  test.for([
    "acess: []",
    "slack: { token: xoxb-1 }",
    "access: [{ principals: [], verbs: [], namespaces: [], cluster: [] }]",
    "endpoints: { forensic: [] }",
  ])("An unknown key is one, not ignored: %s", (text) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/acess|token|cluster|forensic/);
  });

  test.for([
    ["a key given twice", "port: 1\nport: 2"],
    ["broken YAML", "access: [\n"],
    ["a list in place of a mapping", "- a"],
  ])("%s is one", ([, text]) => {
    expect(problemsOf(text)).not.toEqual([]);
  });

  test.for(["10.1.0.0", "10.1.0.0/33", "10.1/16x", "fd00::/129", "0.0.0.0/0/0", ""])("%j is no CIDR", (cidr) => {
    const endpoint = { name: "lab", direction: "both", ipBlock: { cidr } };
    expect(problemsOf(JSON.stringify({ endpoints: { forensics: [endpoint] } }))).toEqual([
      "endpoints.forensics.0.ipBlock.cidr: is no CIDR such as 10.1.0.0/16",
    ]);
  });

  test("An endpoint has selectors or an ipBlock, not both and not neither", () => {
    const both = { name: "x", direction: "egress", podSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } };
    const neither = { name: "y", direction: "egress" };
    expect(problemsOf(JSON.stringify({ endpoints: { monitoring: [both, neither] } }))).toHaveLength(2);
  });
});

describe("the way to Slack", () => {
  const secrets = {
    SLACK_BOT_TOKEN: "xoxb-1",
    SLACK_APP_TOKEN: "xapp-1",
    SLACK_SIGNING_SECRET: "s3cret-s3cret-s3cret",
  };
  const missing = (text: string, env: Record<string, string> = {}): string[] => {
    const loaded = readConfig(env, text, nothing, "bot");
    const problems = "problems" in loaded ? loaded.problems.map((problem) => problem.split(":")[0] ?? "") : [];
    return problems.filter((name) => name.startsWith("SLACK"));
  };

  test("Socket Mode needs an app token, HTTP a signing secret, and all that is missing is told at once", () => {
    expect(missing("")).toEqual(["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]);
    expect(missing("slack: { mode: http }")).toEqual(["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]);
    const { SLACK_APP_TOKEN: _app, ...http } = secrets;
    const { SLACK_SIGNING_SECRET: _signing, ...socket } = secrets;
    expect([missing("slack: { mode: http }", http), missing("", socket)]).toEqual([[], []]);
  });

  test("The Slack room gets the way that was chosen, and the user groups that rules name, once each", () => {
    const rule = { verbs: ["*"], namespaces: ["*"] };
    const access = [
      { ...rule, principals: ["slack-group:T1/S1", "slack:T1/U1"] },
      { ...rule, principals: ["slack-group:T1/S2", "slack-group:T1/S1"] },
    ];
    const text = JSON.stringify({ slack: { mode: "http", port: 3001 }, access });
    expect(slackConfig(configOf(text, secrets))).toMatchObject({
      way: { mode: "http", signingSecret: "s3cret-s3cret-s3cret", port: 3001 },
      groups: ["slack-group:T1/S1", "slack-group:T1/S2"],
    });
    expect(slackConfig(configOf("", secrets))).toMatchObject({
      way: { mode: "socket", appToken: "xapp-1" },
      groups: [],
    });
  });

  test("API servers may post audit events where there is a token, which is none that can be guessed", () => {
    expect(configOf("").kubernetesAuditToken).toBeUndefined();
    const read = (path: string) => (path === "/run/audit" ? "0123456789abcdef\n" : undefined);
    expect(configOf("", { KUBERNETES_AUDIT_TOKEN_FILE: "/run/audit" }, read).kubernetesAuditToken).toBe(
      "0123456789abcdef",
    );
    expect(readConfig({ KUBERNETES_AUDIT_TOKEN: "short" }, "", nothing)).toEqual({
      problems: ["KUBERNETES_AUDIT_TOKEN: is no token of at least 16 letters, digits and -._~+/="],
    });
  });

  test("The signing secret may lie in a file", () => {
    const read = (path: string) => (path === "/run/signing" ? "s3cret-s3cret-s3cret\n" : undefined);
    expect(configOf("", { SLACK_SIGNING_SECRET_FILE: "/run/signing" }, read).slack.signingSecret).toBe(
      "s3cret-s3cret-s3cret",
    );
  });
});

describe("people", () => {
  const jane = { name: "jane", ids: ["slack:T1/U1", "terminal:jane@corp"] };

  test("are read with their ids, and rules may name them and user groups", () => {
    const rule = {
      principals: ["person:jane", "slack-group:T1/S0ONCALL"],
      verbs: ["*"],
      namespaces: ["*"],
      clusters: ["*"],
    };
    expect(configOf(JSON.stringify({ people: [jane], access: [rule] })).settings.access).toEqual({
      rules: [rule],
      people: [jane],
    });
  });

  test.each([
    ["an id in two people", { people: [jane, { name: "joe", ids: ["slack:T1/U1"] }] }, /slack:T1\/U1 is more than one/],
    ["an id given twice", { people: [{ name: "joe", ids: ["slack:T1/U1", "slack:T1/U1"] }] }, /more than one/],
    [
      "a name given twice",
      { people: [jane, { name: "jane", ids: ["slack:T1/U2"] }] },
      /people\.1\.name: is the name of people\.0/,
    ],
    ["a display name as an id", { people: [{ name: "joe", ids: ["Joe"] }] }, /people\.0\.ids\.0: is no id/],
    ["the shared in-pod principal", { people: [{ name: "joe", ids: ["in-pod"] }] }, /is no id/],
    ["a group as an id", { people: [{ name: "joe", ids: ["slack-group:T1/S1"] }] }, /is no id/],
    ["a person without ids", { people: [{ name: "joe", ids: [] }] }, /people\.0\.ids/],
    [
      "a rule for nobody",
      { access: [{ principals: ["person:joe"], verbs: ["*"], namespaces: ["*"] }] },
      /access\.0\.principals\.0: person:joe is nobody/,
    ],
  ])("%s is a problem", (_, config, problem) => {
    const problems = problemsOf(JSON.stringify(config));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});

describe("several clusters", () => {
  const clusters = [
    { name: "us", kubeconfig: "/us" },
    { name: "eu" },
    { name: "ap", kubeconfig: "/us", context: "ap" },
  ];

  test("keep their order, and nothing is the default but what is given", () => {
    const { clusters: read, settings } = configOf(JSON.stringify({ clusters }));
    expect(read.map(({ name }) => name)).toEqual(["us", "eu", "ap"]);
    expect(settings.clusters).toEqual({ home: "eu", defaultCluster: undefined, channels: {} });
  });

  test.each<[string, string, object]>([
    ["what the file says", "ap", { home: "ap" }],
    ["the one without a kubeconfig and a context, which is the pod's own", "eu", {}],
    ["the first where each has one", "us", { clusters: [clusters[0], clusters[2]] }],
  ])("Home is %s, whoever reads it", (_, home, more) => {
    for (const env of [{}, { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, { KUBECONFIG: "/k" }]) {
      expect(configOf(JSON.stringify({ clusters, ...more }), env).settings.clusters.home).toBe(home);
    }
  });

  test.each<[string, object, RegExp]>([
    ["a home that is none", { home: "uk" }, /^home: there is no cluster uk under clusters\. Did you mean us\?/],
    ["a default that is none", { defaultCluster: "eu2" }, /^defaultCluster: there is no cluster eu2/],
    ["a channel's that is none", { channels: { C0123: "uk" } }, /^channels\.C0123: there is no cluster uk/],
    ["a channel by its name", { channels: { "#incidents": "eu" } }, /^channels/],
    [
      "a rule for a cluster that is none",
      { access: [{ principals: [], verbs: [], namespaces: [], clusters: ["*", "uk"] }] },
      /^access\.0\.clusters\.1: there is no cluster uk/,
    ],
    [
      "a name given twice",
      { clusters: [...clusters, { name: "eu", kubeconfig: "/x" }] },
      /^clusters\.3\.name: is the name/,
    ],
    [
      "one cluster under two names",
      { clusters: [...clusters, { name: "eu2" }] },
      /^clusters\.3: has the same kubeconfig/,
    ],
    ["a name with a colon", { clusters: [{ name: "a:b" }] }, /^clusters\.0\.name/],
    ["none", { clusters: [] }, /^clusters: names no cluster/],
  ])("%s is a problem", (_, given, problem) => {
    const problems = problemsOf(JSON.stringify({ clusters, ...given }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});

describe("what is given", () => {
  test("An endpoint of both directions is two, with its peer and nothing undefined in it", () => {
    const endpoint = {
      name: "lab",
      direction: "both",
      ipBlock: { cidr: "10.1.0.0/16" },
      ports: [{ protocol: "TCP", port: 22 }],
    };
    const { endpoints } = configOf(JSON.stringify({ endpoints: { forensics: [endpoint] } })).settings;
    const expected = { name: "lab", purpose: "forensics", peer: { ipBlock: endpoint.ipBlock }, ports: endpoint.ports };
    expect(endpoints).toStrictEqual([
      { ...expected, direction: "ingress" },
      { ...expected, direction: "egress" },
    ]);
  });

  test("A secret comes from the file that NAME_FILE names, trimmed, before the variable itself", () => {
    const read = (path: string) => (path === "/run/bot" ? "xoxb-file\n" : path === "/run/empty" ? " \n" : undefined);
    const env = { SLACK_BOT_TOKEN_FILE: "/run/bot", SLACK_BOT_TOKEN: "xoxb-env", SLACK_APP_TOKEN: "xapp-env" };
    expect(configOf("", env, read).slack).toMatchObject({ botToken: "xoxb-file", appToken: "xapp-env" });
    expect(configOf("", { SLACK_APP_TOKEN: "" }).slack.appToken).toBeUndefined();
    for (const path of ["/run/empty", "/run/nothing"]) {
      expect(problemsOf("", { REDIS_URL_FILE: path }, read)).toEqual([
        `REDIS_URL_FILE: ${path} cannot be read or is empty`,
      ]);
    }
  });

  test("No problem repeats a secret", () => {
    const problems = problemsOf("nosuchkey: 1", { REDIS_URL: "http://:hunter2@redis", SLACK_BOT_TOKEN: "xoxb-secret" });
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toMatch(/hunter2|xoxb-secret/);
  });

  test.for([
    ["redis://redis:6379", { name: "redis", namespace: "bulkhead" }],
    ["redis://:secret@redis.data:6379/1", { name: "redis", namespace: "data" }],
    ["rediss://redis.data.svc", { name: "redis", namespace: "data" }],
    ["redis://redis.data.svc.cluster.local:6379", { name: "redis", namespace: "data" }],
    ["redis://localhost:6379", undefined],
    ["redis://127.0.0.1:6379", undefined],
    ["redis://cache.example.com:6379", undefined],
  ] as const)("%s names the Service %o", ([url, expected]) => {
    const { settings, redisUrl } = configOf("", { REDIS_URL: url });
    expect(settings.redisService).toEqual(expected);
    expect(redisUrl).toBe(url);
  });
});
