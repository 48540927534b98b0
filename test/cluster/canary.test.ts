import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuditLog } from "../../src/audit/log.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { createDesk } from "../../src/commands/run.ts";
import type { Services } from "../../src/commands/services.ts";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { createCanaries } from "../../src/scheduler/enforcement.ts";
import { createIncidents } from "../../src/scheduler/incidents.ts";
import { createLeases } from "../../src/scheduler/leases.ts";
import { createLimits } from "../../src/scheduler/limits.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { approvalSettings } from "../commands/approval-settings.ts";
import { canarySettings } from "../commands/canary-settings.ts";
import { checkout } from "../deploy/manifests.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { asBot, type Deployed, deployBulkhead } from "./deployed.ts";
import { canI, kubectl, kubectlJson } from "./kubectl.ts";

const component = join(checkout, "deploy/components/canary");
const namespace = "bulkhead-canary";
const alice = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" } as const;

/** No packet flows on the control plane of the tests, so what is seen here is what the API server takes and refuses. */
describe("verify-enforcement on a real control plane, with the rights of deploy/ alone", () => {
  let deployed: Deployed;
  let verify: () => Promise<Reply>;
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    deployed = await deployBulkhead([]);
    const connection = createConnection({ source: { kind: "text", text: deployed.kubeconfig }, now: Date.now });
    const cluster = await createCluster("real", connection, { now: Date.now, watch: false });
    const redis = await connectTestRedis();
    closing.push(
      () => redis.disconnect(),
      () => cluster.close(),
    );
    const desk = createDesk(servicesOf(cluster, redis));
    const outlet = { show: () => Promise.resolve({ card: { channel: "C1", ts: "1" }, reached: true }) };
    const asked = { principal: alice, source: "slack", channel: "C1", text: "verify-enforcement" } as const;
    verify = () => desk.run({ ...asked, at: Date.now(), delivery: randomUUID() }, outlet);
  });
  afterAll(async () => {
    for (const close of closing) await close();
    await kubectl(["delete", "-k", component, "--ignore-not-found", "--wait", "--timeout=50s"]);
    await deployed?.remove();
  });

  it("is refused before the component is there, and the line that the refusal names makes it possible", async () => {
    const before = await verify();
    expect(before).toMatchObject({ outcome: "refused" });
    const [, path = ""] = /kubectl apply -k ([\w/-]+)/.exec(JSON.stringify(before.sections)) ?? [];
    await kubectl(["apply", "-k", join(checkout, path)]);
    await waitFor(() => canI(asBot, "create pods", namespace), { everyMs: 100 });
    for (const elsewhere of ["default", "bulkhead", "kube-system"]) {
      expect(await canI(asBot, "create pods", elsewhere), elsewhere).toBe(false);
    }
    for (const more of [
      "create pods --subresource=exec",
      "get pods --subresource=log",
      "patch pods",
      "get secrets",
      "delete nodes",
    ]) {
      expect(await canI(asBot, more, namespace), more).toBe(false);
    }
  });

  it("has its objects accepted, claims nothing where no packet flows, and leaves nothing behind", async () => {
    const reply = await verify();
    expect(reply).toMatchObject({ outcome: "failed", tone: "warning" });
    expect(reply.headline).toMatch(/^UNKNOWN whether cluster real enforces NetworkPolicy/);
    const words = JSON.stringify(reply.sections);
    expect(words).toMatch(/could not be tested: its (server|client) pod (stays Pending|does not get on)/);
    expect(words).toContain("Its pods and policies are deleted.");
    const left = await kubectlJson<{ items: unknown[] }>(["get", "pods,networkpolicies", "--namespace", namespace]);
    expect(left.items).toEqual([]);
  });

  it("sweeps what an earlier run left, and nothing else", async () => {
    const labels = "bulkhead.dev/kind=canary,bulkhead.dev/operation=v-0000000";
    const inNamespace = ["--namespace", namespace];
    await kubectl([
      "run",
      "left",
      "--image",
      "none.invalid/x",
      "--labels",
      labels,
      "--restart",
      "Never",
      ...inNamespace,
    ]);
    await kubectl(["run", "other", "--image", "none.invalid/x", "--restart", "Never", ...inNamespace]);
    await verify();
    const pods = await kubectlJson<{ items: { metadata: { name: string } }[] }>(["get", "pods", ...inNamespace]);
    expect(pods.items.map(({ metadata }) => metadata.name)).toEqual(["other"]);
  });
});

function servicesOf(
  cluster: Awaited<ReturnType<typeof createCluster>>,
  redis: Awaited<ReturnType<typeof connectTestRedis>>,
): Services {
  return {
    settings: {
      access: {
        rules: [{ principals: ["slack:T1/U1"], verbs: ["verify-enforcement"], namespaces: [namespace] }],
        people: [],
      },
      protectedNamespaces: [],
      ownNamespace: "bulkhead",
      redisService: undefined,
      endpoints: [],
      settleMs: 0,
      realiseMs: 0,
      writesCalicoStorage: false,
      detach: true,
      requiresReaper: false,
      limits: { pods: 5, perPerson: 1_000, perCluster: 1_000 },
      clusters: { home: "real", defaultCluster: undefined, channels: {} },
      ...approvalSettings,
      canary: { ...canarySettings, image: "none.invalid/bulkhead", startMs: 4_000, effectMs: 1_000 },
    },
    clusters: new Map([["real", { cluster, enforcement: "unknown" }]]),
    operations: createOperations(redis, { now: Date.now }),
    leases: createLeases(redis),
    incidents: createIncidents(redis),
    limits: createLimits(redis),
    templates: { all: () => [], problems: () => [] },
    canaries: createCanaries(redis),
    audit: createAuditLog(redis, { onEntry: () => undefined }),
    now: Date.now,
    wait: (ms) => wait(ms),
    replica: "test",
    meter: () => undefined,
  };
}
