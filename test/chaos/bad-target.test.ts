import { afterEach, expect, test } from "vitest";
import type { Desk } from "../../src/commands/desk.ts";
import { createDesk } from "../../src/commands/run.ts";
import type { Cluster } from "../../src/kubernetes/cluster.ts";
import type { NetworkPolicy } from "../../src/policy/objects.ts";
import { renderReply } from "../../src/slack/render.ts";
import { startDesk, type TestDesk, wordsIn } from "../commands/desk.ts";

/** Targets that no API server on this machine would hold, or that need a bot of a special make. */
let desk: TestDesk;
afterEach(() => desk?.close());

const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } };
const pod = (name: string, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "payments", labels: { app: name }, ...metadata },
  spec: { containers: [{ name: "main", image: "x" }] },
});

const typedAt = (other: Desk, text: string) => other.run(desk.request(text), desk.outlet);
const policies = () => desk.sandbox.objects("NetworkPolicy");

test("The bot's own Redis is refused, by the Service that its address names", async () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "redis", namespace: "payments" },
    spec: { selector: { app: "redis" }, ports: [{ port: 6379 }] },
  };
  desk = await startDesk({ cluster: { objects: [namespace, pod("redis"), service] } });
  const settings = { ...desk.services.settings, redisService: { name: "redis", namespace: "payments" } };
  const reply = await typedAt(createDesk({ ...desk.services, settings }), "quarantine payments/redis");
  expect(reply.outcome).toBe("refused");
  expect(wordsIn(reply)).toMatch(/This pod is Bulkhead's own Redis\. Choose another pod\./);
  expect(policies()).toEqual([]);
});

test("A pod that is being deleted gets a plan that says so", async () => {
  desk = await startDesk({ cluster: { objects: [namespace, pod("leaving", { finalizers: ["example.com/keep"] })] } });
  const { cluster } = desk.services.clusters.get("sandbox")!;
  expect(
    await cluster.deletePod("payments", "leaving", (await cluster.getPod("payments", "leaving"))!.uid),
  ).toBeDefined();
  const reply = await desk.type("quarantine payments/leaving");
  expect(wordsIn(reply)).toMatch(/is being deleted already/);
  expect(policies()).toEqual([]);
});

test("Labels that mention, format or turn the text around stay text, in the blocks and in the notification", async () => {
  desk = await startDesk({ cluster: { objects: [namespace, pod("worker"), theirs] } });
  const real = desk.services.clusters.get("sandbox")!;
  const hostile = { "app`x`": "<!channel>", team: "*b* _i_ ~s~ \u202Eevil\u202C", link: "<https://evil.example|here>" };
  const relabel = <T extends { readonly labels: object } | undefined>(one: T): T =>
    one === undefined ? one : { ...one, labels: hostile };
  const select = (policy: NetworkPolicy): NetworkPolicy => ({
    ...policy,
    metadata: { ...policy.metadata, name: "<!here>" },
    spec: { ...policy.spec, podSelector: { matchLabels: { "app`x`": "<!channel>" } } },
  });
  const cluster: Cluster = {
    ...real.cluster,
    getPod: async (where, name) => relabel(await real.cluster.getPod(where, name)),
    facts: async (where, from) => {
      const facts = await real.cluster.facts(where, from);
      return { ...facts, policies: [...facts.policies, ...facts.policies.map(select)] };
    },
  };
  const clusters = new Map([["sandbox", { ...real, cluster }]]);
  const reply = await typedAt(
    createDesk({ ...desk.services, clusters }),
    "quarantine payments/worker `rm -rf` <!here> *now*",
  );
  expect(reply.headline).toBe("Plan: quarantine payments/worker");
  expect(wordsIn(reply)).toContain("app`x`");
  const { text, blocks } = renderReply(reply, "/np");
  expect(text).not.toMatch(/<[!@#h]/);
  expect(JSON.stringify(blocks)).not.toMatch(/"mrkdwn"/);
  expect(text + JSON.stringify(blocks)).not.toMatch(/[\u202A-\u202E]/);
  expect(policies().map(({ metadata }) => metadata.name)).toEqual(["theirs"]);
});

const theirs = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "theirs", namespace: "payments" },
  spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] },
};
