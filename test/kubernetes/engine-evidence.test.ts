import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { createEngineEvidence } from "../../src/kubernetes/engine-evidence.ts";
import { json, listOf, type ScriptedApi, type Seen, startScriptedApi, status } from "./scripted-api.ts";

type Answer = Readonly<Record<string, unknown>> | ((response: ServerResponse) => void);

const forbidden: Answer = (response) => status(response, 403, "Forbidden");

/** Serves these paths, and 404 elsewhere; a query counts where it is written. */
function serving(paths: Readonly<Record<string, Answer>>) {
  return ({ path, url }: Seen, response: ServerResponse): void => {
    const answer = paths[`${path}?${url.searchParams.get("labelSelector")}`] ?? paths[path];
    if (answer === undefined) status(response, 404, "NotFound", { details: { name: path.split("/").at(-1) } });
    else if (typeof answer === "function") answer(response);
    else json(response, answer);
  };
}

function groups(...groupVersions: string[]): Answer {
  return { groups: groupVersions.map((groupVersion) => ({ versions: [{ groupVersion }] })) };
}

function kinds(...names: string[]): Answer {
  return { resources: names.map((name) => ({ name, kind: "X" })) };
}

const list = (...items: object[]): Answer => ({ ...listOf(items, "1") });

function daemonSet(name: string, container: object, namespace = "kube-system"): object {
  const volumes = [
    { name: "x", emptyDir: {} },
    { name: "config", configMap: { name: "antrea-config-b9c7f5mdk6" } },
  ];
  return {
    metadata: { name, namespace, generation: 2, labels: { app: name } },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { spec: { containers: [container], volumes } },
    },
    status: { observedGeneration: 2, desiredNumberScheduled: 2, numberReady: 1, updatedNumberScheduled: 2 },
  };
}

function pod(node: string, ready: boolean): object {
  const conditions = [{ type: "Ready", status: ready ? "True" : "False" }];
  return {
    metadata: { name: `agent-${node}`, namespace: "kube-system" },
    spec: { nodeName: node },
    status: { conditions },
  };
}

const container = {
  name: "antrea-agent",
  image: "antrea/antrea-agent-ubuntu:v2.3.0",
  command: ["a"],
  args: ["--v=0"],
  env: [{ name: "TOKEN", value: "secret" }],
};

const antrea = {
  "/apis": groups("apps/v1", "crd.antrea.io/v1beta1", "crd.projectcalico.org/v1", "cilium.io/v2"),
  "/apis/crd.antrea.io/v1beta1": kinds("networkpolicies", "antreaagentinfos"),
  "/apis/crd.projectcalico.org/v1": kinds("tiers"),
  "/apis/cilium.io/v2": forbidden,
  "/apis/apps/v1/daemonsets": list(
    daemonSet("antrea-agent", container),
    daemonSet("node-exporter", { name: "main", image: "x" }, "monitoring"),
  ),
  "/api/v1/namespaces/kube-system/pods?app=antrea-agent": list(pod("n1", true), pod("n2", false)),
  "/api/v1/namespaces/kube-system/configmaps/antrea-config-b9c7f5mdk6": {
    data: { "antrea-agent.conf": "featureGates: {}" },
  },
  "/apis/crd.projectcalico.org/v1/tiers": list(
    { metadata: { name: "default" }, spec: { order: 1e6 } },
    { metadata: { name: "last" } },
  ),
  "/apis/crd.antrea.io/v1beta1/antreaagentinfos": list({
    metadata: { name: "n1" },
    nodeRef: { name: "n1" },
    agentConditions: [{ type: "AgentHealthy", status: "True", lastHeartbeatTime: "2026-03-01T12:00:00Z" }],
  }),
};

function reader(api: ScriptedApi, now = () => 5_000) {
  return createEngineEvidence(api.connect(), now);
}

test("It holds what tells which engines are enforced, of network plugins alone and without environments", async () => {
  await using api = await startScriptedApi(serving(antrea));
  expect(await reader(api)("cache")).toEqual({
    readAt: 5_000,
    served: { read: true, value: ["crd.projectcalico.org/v1/tiers", "crd.antrea.io/v1beta1/networkpolicies"] },
    unreadGroups: [{ groupVersion: "cilium.io/v2", why: "Forbidden!" }],
    agents: {
      read: true,
      value: [
        {
          name: "antrea-agent",
          namespace: "kube-system",
          labels: { app: "antrea-agent" },
          containers: [{ name: "antrea-agent", image: "antrea/antrea-agent-ubuntu:v2.3.0", args: ["a", "--v=0"] }],
          mounts: ["antrea-config-b9c7f5mdk6"],
          desired: 2,
          ready: 1,
          rollingOut: false,
          readyOn: { read: true, value: ["n1"] },
        },
      ],
    },
    configMaps: {
      "antrea-config": { read: true, value: { "antrea-agent.conf": "featureGates: {}" } },
      "amazon-vpc-cni": { read: true, value: undefined },
    },
    ciliumNodeConfigs: { read: true, value: [] },
    calicoTiers: {
      read: true,
      value: [
        { name: "default", order: 1e6 },
        { name: "last", order: undefined },
      ],
    },
    antreaAgents: {
      read: true,
      value: [
        {
          node: "n1",
          conditions: [{ type: "AgentHealthy", status: "True", heartbeatAt: Date.parse("2026-03-01T12:00:00Z") }],
        },
      ],
    },
  });
});

test("What is set for single nodes of Cilium is read in the version that is served, and may be forbidden", async () => {
  const path = (version: string) => `/apis/cilium.io/${version}/ciliumnodeconfigs`;
  const item = { metadata: { name: "a", namespace: "kube-system" }, spec: { defaults: { "enable-policy": "never" } } };
  const cilium = { "/apis/apps/v1/daemonsets": list(daemonSet("cilium", container)) };
  const found = { read: true, value: [{ name: "a", defaults: { "enable-policy": "never" } }] };
  for (const [paths, expected] of [
    [{ [path("v2")]: list(item) }, found],
    [{ [path("v2alpha1")]: list(item) }, found],
    [{}, { read: true, value: [] }],
    [{ [path("v2")]: forbidden }, { read: false, why: "Forbidden!" }],
  ] as const) {
    await using api = await startScriptedApi(serving({ ...cilium, ...paths }));
    expect((await reader(api)("cache")).ciliumNodeConfigs).toEqual(expected);
  }
});

test("What may not be read, and what does not answer, is told with the reason, and the rest is there", async () => {
  await using api = await startScriptedApi(
    serving({
      ...antrea,
      "/api/v1/namespaces/kube-system/pods?app=antrea-agent": forbidden,
      "/api/v1/namespaces/kube-system/configmaps/antrea-config-b9c7f5mdk6": forbidden,
      "/apis/crd.projectcalico.org/v1/tiers": forbidden,
      "/apis/crd.antrea.io/v1beta1/antreaagentinfos": (response) => status(response, 410, "Gone"),
    }),
  );
  const evidence = await reader(api)("cache");
  const no = { read: false, why: "Forbidden!" };
  expect(evidence).toMatchObject({
    agents: { read: true, value: [{ name: "antrea-agent", readyOn: no }] },
    configMaps: { "antrea-config": no },
    calicoTiers: no,
    antreaAgents: { read: false, why: expect.stringContaining("410") },
  });
});

test("A server that answers nothing makes no exception: all of it is unread", async () => {
  await using api = await startScriptedApi((_seen, response) => status(response, 403, "Forbidden"));
  const no = { read: false, why: "Forbidden!" };
  expect(await reader(api)("fresh")).toMatchObject({ served: no, agents: no, configMaps: { "amazon-vpc-cni": no } });
});

test("It counts for a minute, or for five seconds where something was not read, and `fresh` reads it anew", async () => {
  for (const [paths, heldMs] of [
    [{ ...antrea, "/apis/cilium.io/v2": kinds() }, 60_000],
    [antrea, 5_000],
  ] as const) {
    await using api = await startScriptedApi(serving(paths));
    let now = 1_000_000;
    const read = reader(api, () => now);
    const first = await read("cache");
    now += heldMs - 1;
    expect(await read("recent")).toBe(first);
    now += 1;
    const second = await read("recent");
    expect(second).not.toBe(first);
    expect(await read("fresh")).not.toBe(second);
  }
});

test("Whoever asks while it is being read gets that, and `fresh` what begins after it", async () => {
  await using api = await startScriptedApi(serving(antrea));
  const read = reader(api);
  const [first, same, fresh, alsoFresh] = await Promise.all([
    read("cache"),
    read("cache"),
    read("fresh"),
    read("fresh"),
  ]);
  expect(same).toBe(first);
  expect(fresh).not.toBe(first);
  expect(alsoFresh).toBe(fresh);
  expect(api.seen.filter(({ path }) => path === "/apis")).toHaveLength(2);
});
