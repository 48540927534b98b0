import { describe, expect, test } from "vitest";
import { type Environment, readConfig } from "../src/config.ts";

/** Nothing is wrong with these for a bot. */
const sound: Environment = {
  SLACK_BOT_TOKEN: "xoxb-hunter2",
  SLACK_APP_TOKEN: "xapp-hunter2",
  REDIS_URL: "redis://:hunter2@redis:6379",
  KUBERNETES_SERVICE_HOST: "10.0.0.1",
};
const token = "0123456789abcdef";
const files: Readonly<Record<string, string>> = {
  "/tls/ca": "-----BEGIN CERTIFICATE-----\n",
  "/tls/key": "-----BEGIN EC PRIVATE KEY-----\n",
  "/run/token": `${token}-of-eu\n`,
  "/run/short": "hunter2",
  "/run/empty": "\n",
};
const clusters = "clusters: [{ name: us, kubeconfig: a }, { name: eu }]\nhome: us\n";

function load(text: string, { env = {}, use = "terminal" }: { env?: Environment; use?: "bot" | "terminal" } = {}) {
  return readConfig({ ...sound, ...env }, text, (path) => files[path], use);
}

function flowsOf(text: string, env: Environment = {}) {
  const loaded = load(text, { env });
  if ("problems" in loaded) throw new Error(loaded.problems.join("\n"));
  return loaded.config.flows;
}

function problemsOf(flows: string, env: Environment = {}): readonly string[] {
  const loaded = load(`flows: ${flows}`, { env, use: "bot" });
  return "problems" in loaded ? loaded.problems : [];
}

const hubble = "{ name: hubble, kind: hubble-relay, address: 'relay:80' }";
const tls = "caFile: /tls/ca, certFile: /tls/ca, keyFile: /tls/key";

describe("flow sources", () => {
  test("Without any, and without a token, flows are off, however long they would be kept", () => {
    expect([flowsOf(""), flowsOf("flows: { keep: 1h }")]).toEqual([undefined, undefined]);
  });

  test("A source is of the cluster that the bot is in where it names none", () => {
    const text = `${clusters}flows: { sources: [${hubble}, { name: b, cluster: eu, kind: hubble-relay, address: 'x:1' }] }`;
    expect(flowsOf(text)?.sources.map(({ name, cluster }) => [name, cluster])).toEqual([
      ["hubble", "us"],
      ["b", "eu"],
    ]);
  });

  test("Everything has its place, and what was counted is kept for six hours", () => {
    const goldmane = `{ name: goldmane, kind: goldmane, address: 'goldmane.calico-system.svc:7443', tls: { ${tls}, serverName: goldmane } }`;
    const loki = `{ name: loki, kind: loki, url: 'https://loki:3100', query: '{job="np"}', tenant: a|b, tokenFile: /run/token, every: 30s }`;
    expect(flowsOf(`flows: { sources: [${goldmane}, ${loki}] }`)).toEqual({
      keepMs: 6 * 3_600_000,
      receiver: new Map(),
      sources: [
        {
          name: "goldmane",
          cluster: "default",
          kind: "goldmane",
          address: "goldmane.calico-system.svc:7443",
          tls: { caFile: "/tls/ca", certFile: "/tls/ca", keyFile: "/tls/key", serverName: "goldmane" },
        },
        {
          name: "loki",
          cluster: "default",
          kind: "loki",
          url: "https://loki:3100",
          query: '{job="np"}',
          tenant: "a|b",
          tokenFile: "/run/token",
          every: 30_000,
        },
      ],
    });
  });
});

describe("the receiver of flows", () => {
  test("A token alone lets the cluster that the bot is in post", () => {
    expect(flowsOf(clusters, { FLOWS_TOKEN: token })?.receiver).toEqual(new Map([["us", token]]));
    expect(flowsOf("", { FLOWS_TOKEN_FILE: "/run/token" })?.receiver).toEqual(new Map([["default", `${token}-of-eu`]]));
  });

  test("Each cluster may have a token of its own; those that have none share the other", () => {
    const text = `${clusters}flows: { receiver: { us: {}, eu: { tokenFile: /run/token } } }`;
    expect(flowsOf(text, { FLOWS_TOKEN: token })?.receiver).toEqual(
      new Map([
        ["us", token],
        ["eu", `${token}-of-eu`],
      ]),
    );
  });

  test("A terminal knows who may post, and needs no token for that", () => {
    expect(flowsOf("flows: { receiver: { default: { tokenFile: /not/here } } }")?.receiver).toEqual(
      new Map([["default", undefined]]),
    );
  });
});

type Row = readonly [flows: string, ...problems: string[]];
const place = "flows.sources.0";

const wrong: readonly Row[] = [
  ["{ source: [] }", "flows.source: is no key here. Did you mean sources?"],
  ["{ keep: 5m }", "flows.keep: can be from 30m to 48h"],
  ["{ keep: 3d }", "flows.keep: can be from 30m to 48h"],
  ["{ sources: [7] }", `${place}: is a number; expected a mapping`],
  ["{ sources: [{ name: a }] }", `${place}.kind: expected one of hubble-relay, goldmane, loki.`],
  [
    "{ sources: [{ name: a, kind: hubble-rely, address: 'a:1' }] }",
    `${place}.kind: expected one of hubble-relay, goldmane, loki. Did you mean hubble-relay?`,
  ],
  [
    "{ sources: [{ name: A, kind: hubble-relay, adress: 'a:1' }] }",
    `${place}.name: is no name (lower-case letters, digits, dashes, dots)`,
    `${place}.address: is missing; expected text`,
    `${place}.adress: is no key here. Did you mean address?`,
  ],
  [
    "{ sources: [{ name: a, kind: hubble-relay, address: 'http://relay' }] }",
    `${place}.address: is no address such as hubble-relay.kube-system.svc:80`,
  ],
  [`{ sources: [${hubble}, ${hubble}] }`, "flows.sources.1.name: is the name of flows.sources.0 already"],
  [
    "{ sources: [{ name: a, cluster: defualt, kind: hubble-relay, address: 'a:1' }] }",
    `${place}.cluster: there is no cluster defualt under clusters. Did you mean default?`,
  ],
  [
    "{ sources: [{ name: a, kind: hubble-relay, address: 'a:1', tls: { certFile: /tls/ca } }] }",
    `${place}.tls: certFile and keyFile need each other`,
  ],
  [
    "{ sources: [{ name: a, kind: hubble-relay, address: 'a:1', tls: { caFile: /no, certFile: /tls/key, keyFile: /tls/ca } }] }",
    `${place}.tls.caFile: /no cannot be read or holds no PEM certificate`,
    `${place}.tls.certFile: /tls/key cannot be read or holds no PEM certificate`,
    `${place}.tls.keyFile: /tls/ca cannot be read or holds no PEM key`,
  ],
  ["{ sources: [{ name: a, kind: goldmane, address: 'a:1' }] }", `${place}.tls: is missing; expected a mapping`],
  [
    "{ sources: [{ name: a, kind: goldmane, address: 'a:1', tls: { caFile: /tls/ca } }] }",
    `${place}.tls: needs certFile and keyFile: Goldmane lets nobody in without a certificate`,
  ],
  [
    "{ sources: [{ name: a, kind: loki, url: 'http://u:hunter2@loki', query: DROPPED, tenant: 'a b' }] }",
    `${place}.url: is no address such as http://loki.logging.svc:3100 (a user and a password go elsewhere)`,
    `${place}.query: is no LogQL query such as {job="hubble"} |= "DROPPED"`,
    `${place}.tenant: is no tenant`,
  ],
  [
    `{ sources: [{ name: a, kind: loki, url: 'http://loki', query: '{a="b"}', username: u }] }`,
    `${place}: username and passwordFile need each other`,
  ],
  [
    `{ sources: [{ name: a, kind: loki, url: 'http://loki', query: '{a="b"}', username: u, passwordFile: /run/empty, tokenFile: /no }] }`,
    `${place}.tokenFile: /no cannot be read or is empty`,
    `${place}.passwordFile: /run/empty cannot be read or is empty`,
  ],
  ["{ receiver: { eu: {} } }", "flows.receiver.eu: there is no cluster eu under clusters."],
  [
    "{ receiver: { Eu: {} } }",
    "flows.receiver.Eu: is no cluster name (at most 63 lower-case letters, digits, dashes, dots)",
  ],
  [
    "{ receiver: { default: { token: hunter2 } } }",
    "flows.receiver.default.token: is no key here. Keys are: tokenFile.",
  ],
  [
    "{ receiver: { default: { tokenFile: /run/short } } }",
    "flows.receiver.default.tokenFile: is no token of at least 16 letters, digits and -._~+/=",
  ],
  ["{ receiver: { default: { tokenFile: /no } } }", "flows.receiver.default.tokenFile: /no cannot be read"],
];

describe("problems of flows", () => {
  test.for(wrong)("%s", ([flows, ...problems]) => {
    const found = problemsOf(flows, { FLOWS_TOKEN: token });
    expect(found).toHaveLength(problems.length);
    for (const [at, problem] of problems.toSorted().entries()) expect(found.toSorted()[at]).toContain(problem);
    expect(found.join()).not.toContain("hunter2");
  });

  test("A receiver without a token is one, and so is a token that is easily guessed", () => {
    expect(problemsOf("{ receiver: { default: {} } }")).toEqual([
      "flows.receiver.default: has no tokenFile, and FLOWS_TOKEN is not set: nobody could post",
    ]);
    expect(problemsOf("{}", { FLOWS_TOKEN: "hunter2" })).toEqual([
      "FLOWS_TOKEN: is no token of at least 16 letters, digits and -._~+/=",
    ]);
  });

  test("A mistake elsewhere does not hide that a file is missing", () => {
    const loaded = load(`settle: soon\nflows: { receiver: { default: { tokenFile: /no } } }`, { use: "bot" });
    expect(loaded).toMatchObject({ problems: { length: 2 } });
  });
});
