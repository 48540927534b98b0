import { setTimeout as wait } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { detectionOf, stateOf } from "../../src/commands/detection.ts";
import { createDesk } from "../../src/commands/run.ts";
import type { SandboxClusterOptions } from "../../src/sandbox/kubernetes/cluster.ts";
import { createCanaries } from "../../src/scheduler/enforcement.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { type Pool, startKubelet } from "./canary-kubelet.ts";
import { canarySettings } from "./canary-settings.ts";
import { bob, startDesk, wordsIn } from "./desk.ts";

// Real processes start and end one after the other: on a machine that has much else to do that takes its time.
vi.setConfig({ testTimeout: 60_000 });

const namespace = "bulkhead-canary";
const label = "example.com/pool";
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function nodeOf(pool: string) {
  const status = { conditions: [{ type: "Ready", status: "True" }] };
  return { apiVersion: "v1", kind: "Node", metadata: { name: `${pool}-1`, labels: { [label]: pool } }, status };
}

type Given = {
  readonly cluster?: SandboxClusterOptions;
  readonly canaries?: undefined;
};

/** A desk by the real clock over a cluster with these pools; alice may verify, bob may not. */
async function start(pools: Readonly<Record<string, Pool>>, given: Given = {}) {
  const redis = await connectTestRedis();
  const canaries = createCanaries(redis);
  const rule = { principals: ["slack:T1/U1"], verbs: ["*" as const], namespaces: [namespace] };
  const desk = await startDesk({
    cluster: {
      controllers: false,
      objects: [
        { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
        ...Object.keys(pools).map(nodeOf),
      ],
      ...given.cluster,
    },
    settings: {
      access: { rules: [rule, { ...rule, principals: ["slack:T1/U2"], namespaces: ["payments"] }], people: [] },
      canary: { ...canarySettings, nodePoolLabel: label, startMs: 10_000, effectMs: 1_500 },
    },
    services: {
      now: Date.now,
      wait: (ms) => wait(ms),
      ...("canaries" in given ? {} : { canaries }),
    },
  });
  const kubelet = startKubelet(desk.sandbox, namespace, pools);
  open.push(
    () => redis.disconnect(),
    () => desk.close(),
    () => kubelet.stop(),
  );
  const left = () => [...desk.sandbox.objects("Pod", namespace), ...desk.sandbox.objects("NetworkPolicy", namespace)];
  const type = (...asked: Parameters<typeof desk.type>) => desk.type(...asked);
  return { ...desk, type, redis, canaries, kubelet, left };
}

describe("verify-enforcement on pods that really connect", () => {
  test("claims of each pool what was seen there: a dead server, a missing image and open connections are no enforcement", async () => {
    const { type, left, canaries } = await start({
      fine: { enforces: true },
      flannel: { enforces: false },
      airgapped: { enforces: true, noImage: true },
      dying: { enforces: false, serverDies: true },
    });
    const reply = await type("verify-enforcement sandbox:");
    expect(reply).toMatchObject({
      headline: "NetworkPolicy is NOT ENFORCED in cluster sandbox: flannel",
      tone: "bad",
      outcome: "failed",
    });
    const words = wordsIn(reply);
    expect(words).toMatch(/fine: enforced: /);
    expect(words).toMatch(/flannel: NOT ENFORCED: new connections still came through .* denies all (ingress|egress)/);
    expect(words).toMatch(/airgapped: could not be tested: its server pod stays Pending: ImagePullBackOff, Back-off/);
    expect(words).toMatch(/dying: could not be tested: connections did not come back once the policy was gone/);
    expect(left()).toEqual([]);
    expect(await canaries.canaryOf("sandbox")).toMatchObject({ enforced: false, pools: ["flannel"] });
    expect((await canaries.last("sandbox"))?.findings).toHaveLength(4);
  });

  test("a run that died holds the next one off until its claim ends; that one deletes what was left, says what holds, keeps and audits it", async () => {
    const { type, left, redis, request, outlet, shown, kubelet, canaries, services } = await start({
      only: { enforces: true },
    });
    let dead = false;
    const dying = createDesk({
      ...services,
      async wait(ms) {
        await wait(ms);
        if (dead) await new Promise(() => {});
      },
    });
    void dying.run(request("verify-enforcement"), outlet);
    await waitFor(() => left().length === 3);
    dead = true;
    const refusal = await type("verify-enforcement");
    expect(refusal).toMatchObject({ outcome: "refused" });
    expect(wordsIn(refusal)).toContain("Another run is under way in cluster sandbox");
    expect(left()).not.toEqual([]);

    await redis.del("{bulkhead}:canary:claim:sandbox");
    shown.length = 0;
    const reply = await type("verify-enforcement");
    expect(reply).toMatchObject({
      headline: "NetworkPolicy is enforced in cluster sandbox: only",
      tone: "good",
      outcome: "ok",
    });
    expect(wordsIn(reply)).toContain(
      "only: enforced: new connections ended under a policy and came back without it (on only-1 and only-2)",
    );
    expect(shown[0]?.reply).toMatchObject({ interim: true, shape: "card" });
    expect(shown.at(-1)).toMatchObject({ reply: { headline: reply.headline }, card: { ts: "1.0" } });
    expect(left()).toEqual([]);
    await waitFor(() => kubelet.running().length === 0);
    expect(await canaries.canaryOf("sandbox")).toMatchObject({ enforced: true, pools: ["only"] });
    expect(wordsIn(await type("status"))).toMatch(
      /NetworkPolicy is enforced in cluster sandbox: only \(tested .* ago, run v-/,
    );
    const unsaid = new Map(
      [...services.clusters].map(([name, one]) => [name, { ...one, enforcement: "unknown" as const }]),
    );
    const detection = await detectionOf({ ...services, clusters: unsaid }, "sandbox", "fresh");
    expect(stateOf(detection, "networkpolicy")).toMatchObject({
      state: "enforced",
      because: expect.stringMatching(
        /verify-enforcement saw at .* that NetworkPolicy is enforced in only\.$/,
      ) as string,
    });
    const entries = await services.audit.read({ sinceMs: 0 });
    expect(entries.map(({ kind, verb, ok, namespace: where }) => [kind, verb, ok, where]).slice(1)).toEqual([
      ["refusal", "verify-enforcement", false, namespace],
      ["intent", "verify-enforcement", undefined, namespace],
      ["outcome", "verify-enforcement", true, namespace],
    ]);
  });
});

describe("verify-enforcement before anything is written", () => {
  test.each([
    ["without the namespace", { objects: [] }, /cluster sandbox has no namespace bulkhead-canary/i],
    [
      "without the rights",
      {
        users: { other: { name: "other", groups: [] } },
        authorize: (_: unknown, { verb, resource }: { verb: string; resource: string }) =>
          `${verb} ${resource}` !== "create pods",
      },
      /may not create pods\./,
    ],
  ])("%s is refused with the line that installs it, and the refusal is audited", async (_, cluster, why) => {
    const { type, services, left } = await start({ only: { enforces: true } }, { cluster });
    const reply = await type("verify-enforcement");
    expect(reply).toMatchObject({ outcome: "refused" });
    expect(wordsIn(reply)).toMatch(why);
    expect(wordsIn(reply)).toContain("kubectl apply -k deploy/components/canary");
    expect((await services.audit.read({ sinceMs: 0 })).map(({ kind, verb }) => [kind, verb])).toEqual([
      ["refusal", "verify-enforcement"],
    ]);
    expect(left()).toEqual([]);
  });

  test("whoever has no right in the canary's namespace may not, and learns nothing of the cluster", async () => {
    const { type } = await start({});
    const reply = await type("verify-enforcement", bob);
    expect(reply).toMatchObject({ outcome: "refused" });
    expect(wordsIn(reply)).toMatch(
      /no rule of the access section lets .*verify-enforcement in namespace bulkhead-canary/i,
    );
  });

  test("without an image of its own, and where no Bulkhead runs, it says what to configure", async () => {
    const { services, type } = await start({ only: { enforces: true } });
    Object.assign(services.settings.canary, { image: undefined });
    expect(wordsIn(await type("verify-enforcement"))).toContain("Set canary.image in the configuration");
  });

  test("a terminal without Redis is told to go where there is one", async () => {
    const { type, left } = await start({ only: { enforces: true } }, { canaries: undefined });
    expect(wordsIn(await type("verify-enforcement"))).toContain("A run needs Redis");
    expect(left()).toEqual([]);
  });
});
