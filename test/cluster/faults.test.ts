import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { marks } from "../../src/policy/marks.ts";
import type { JsonPatchOperation, Labels } from "../../src/policy/objects.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { type BotDesk, createBotDesk, wordsOf } from "./bot-desk.ts";
import { type ControlPlane, startControlPlane, whyNoControlPlane } from "./control-plane.ts";
import { kubectl, kubectlJson } from "./kubectl.ts";

const missing = whyNoControlPlane();
if (missing !== undefined) process.stderr.write(`Faults of the API server are not tested: ${missing}\n`);

const namespace = "faults";
const before = { app: "web", team: "core" };
const patience = { timeoutMs: 60_000, everyMs: 100 };

let plane: ControlPlane;
let redis: Awaited<ReturnType<typeof connectTestRedis>>;
let cluster: Cluster;
/** The same with limits of 3 s, so that waiting for a frozen server takes less long. */
let hasty: Cluster;
let desk: BotDesk;
let hastyDesk: BotDesk;
let pods = 0;

/** What happens to the API server just before a step. */
let strike: { readonly step: string; readonly act: () => void } | undefined;

beforeAll(async () => {
  if (missing !== undefined) return;
  plane = await startControlPlane();
  redis = await connectTestRedis();
  const { kubeconfig } = plane;
  await kubectl(["create", "clusterrolebinding", "bots", "--clusterrole=cluster-admin", "--group=bots"], {
    kubeconfig,
  });
  await kubectl(["create", "namespace", namespace], { kubeconfig });
  await waitFor(
    () => kubectl(["get", "serviceaccount", "default", "-n", namespace], { kubeconfig }).catch(() => undefined),
    patience,
  );
  cluster = await connect({ watch: true });
  hasty = await connect({ watch: true, timeoutMs: 3_000 });
  await waitFor(() => [cluster, hasty].every(isWhole), patience);
  desk = createBotDesk(striking(cluster), redis, [namespace]);
  hastyDesk = createBotDesk(striking(hasty), redis, [namespace]);
}, 120_000);

afterEach(async () => {
  strike = undefined;
  await plane.recover();
}, 60_000);

afterAll(async () => {
  await Promise.all([cluster?.close(), hasty?.close()]);
  redis?.disconnect();
  await plane?.stop();
}, 60_000);

async function connect({ watch, timeoutMs }: { watch: boolean; timeoutMs?: number }): Promise<Cluster> {
  const source = { kind: "files", paths: [plane.botKubeconfig] } as const;
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  return createCluster("prod", createConnection({ source, now: Date.now, cluster: "prod", ...limit }), {
    now: Date.now,
    watch,
  });
}

const isWhole = (one: Cluster) => one.watches().every(({ synced, problem }) => synced && problem === undefined);

/** The cluster, which strikes before the step that is named. */
function striking(one: Cluster): Cluster {
  const at = <T>(step: string, call: () => Promise<T>): Promise<T> => {
    if (strike?.step === step) {
      const { act } = strike;
      strike = undefined;
      act();
    }
    return call();
  };
  // What is read of an object once it was deleted is a release's reading back.
  let deleted = false;
  return {
    ...one,
    createObject: (object) => ((deleted = false), at("policy on", () => one.createObject(object))),
    getObject: (of) => (deleted ? at("read-back", () => one.getObject(of)) : one.getObject(of)),
    patchPod: (of, name, patch) => at(deed(patch), () => one.patchPod(of, name, patch)),
    deleteObject: (...of) =>
      at("policy off", async () => {
        const answer = await one.deleteObject(...of);
        deleted = true;
        return answer;
      }),
    listPolicies: (...of) => at("read-back", () => one.listPolicies(...of)),
  };
}

/** What a label patch does, told by its last operation. */
function deed(patch: readonly JsonPatchOperation[]): string {
  const last = patch.at(-1);
  const ours = last?.path.includes("quarantine") === true;
  return `${ours ? "quarantine label" : "other labels"} ${last?.op === "remove" ? "off" : "on"}`;
}

/** A pod that no scheduler takes, so that nothing else writes it. */
async function aPod(): Promise<string> {
  const name = `pod-${++pods}`;
  const spec = { schedulerName: "none", containers: [{ name: "main", image: "none.invalid/main" }] };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels: before }, spec };
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  };
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: [service, pod] });
  await kubectl(["apply", "-f", "-"], { kubeconfig: plane.kubeconfig, input });
  return name;
}

type Items = {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly labels?: Labels };
  }[];
};
const listed = (kind: string) => kubectlJson<Items>(["get", kind, "-n", namespace], { kubeconfig: plane.kubeconfig });

const follows = (one: Cluster) =>
  one
    .watches()
    .filter(({ path }) => path.endsWith("/pods") || path.endsWith("/networkpolicies"))
    .every(({ synced, problem }) => synced && problem === undefined);

/** The cache holds what kubectl sees, at the same versions. */
async function cacheIsRight(one: Cluster): Promise<void> {
  type Seen = readonly (readonly [string, string | undefined])[];
  const inWords = (all: Seen) =>
    all
      .map((each) => each.join(" "))
      .sort()
      .join();
  await waitFor(async () => {
    if (!follows(one)) return false;
    const { items } = await listed("pods,networkpolicies");
    const facts = await one.facts(namespace, "cache");
    const cached: Seen = [
      ...facts.pods.map((pod) => [pod.name, pod.resourceVersion] as const),
      ...facts.policies.map(({ metadata }) => [metadata.name, metadata.resourceVersion] as const),
    ];
    return inWords(cached) === inWords(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
  }, patience);
}

/** As kubectl sees it; a pod whose labels are off is behind our policy at every moment. */
async function state(pod: string): Promise<{ readonly labels: Labels; readonly policies: readonly string[] }> {
  const labels = (await listed("pods")).items.find(({ metadata }) => metadata.name === pod)?.metadata.labels ?? {};
  const policies = (await listed("networkpolicies")).items.map(({ metadata }) => metadata.name);
  const mark = labels[marks.quarantine];
  if (labels["app"] === undefined) expect(policies).toContain(`bulkhead-${mark}`);
  return { labels, policies };
}

async function expectIsolated(pod: string, operation: string): Promise<void> {
  const { labels, policies } = await state(pod);
  expect(labels).toEqual({ team: "core", [marks.quarantine]: operation });
  expect(policies).toEqual([`bulkhead-${operation}`]);
}

const expectRestored = async (pod: string) => expect(await state(pod)).toEqual({ labels: before, policies: [] });

type Trouble = {
  readonly of: Cluster;
  readonly desk: BotDesk;
  readonly begin: () => void;
  readonly end: () => Promise<void>;
};

const troubles: Readonly<Record<string, () => Trouble>> = {
  killed: () => ({ of: cluster, desk, begin: () => plane.kill(), end: () => plane.restart() }),
  frozen: () => ({ of: hasty, desk: hastyDesk, begin: () => plane.freeze(), end: () => Promise.resolve(plane.thaw()) }),
};

const quarantineSteps = ["policy on", "quarantine label on", "other labels off", "read-back"];
const releaseSteps = ["other labels on", "quarantine label off", "policy off", "read-back"];
const cases = Object.keys(troubles).flatMap((trouble) => quarantineSteps.map((_, index) => [trouble, index] as const));

describe.skipIf(missing !== undefined)("An API server that fails", () => {
  test.each(cases)(
    "is %s at step %i of a quarantine and then of its release: each says so, and is finished afterwards",
    async (name, index) => {
      const { of, desk, begin, end } = troubles[name]!();
      const pod = await aPod();
      const { operation = "" } = await desk.type(`quarantine ${namespace}/${pod}`);
      strike = { step: quarantineSteps[index]!, act: begin };
      const failed = await desk.confirm(operation);
      expect(failed).toMatchObject({ outcome: "failed", headline: expect.stringContaining("Failed: cluster prod: ") });
      expect(wordsOf(failed)).toContain("kubectl get --raw /readyz");
      await end();
      await state(pod);
      expect((await desk.confirm(operation, "retry")).headline).toBe(
        `ISOLATED FOR NEW CONNECTIONS (${namespace}/${pod})`,
      );
      await expectIsolated(pod, operation);

      const { operation: releasing = "" } = await desk.type(`release ${operation}`);
      strike = { step: releaseSteps[index]!, act: begin };
      expect(await desk.confirm(releasing)).toMatchObject({ outcome: "failed" });
      await end();
      await state(pod);
      expect((await desk.confirm(releasing, "retry")).headline).toBe(`Released: ${namespace}/${pod}`);
      await expectRestored(pod);
      await cacheIsRight(of);
    },
  );

  test("is killed in the middle of a quarantine, which is then released as it is", async () => {
    const { begin, end } = troubles["killed"]!();
    const pod = await aPod();
    const { operation = "" } = await desk.type(`quarantine ${namespace}/${pod}`);
    strike = { step: "other labels off", act: begin };
    expect(await desk.confirm(operation)).toMatchObject({ outcome: "failed" });
    await end();
    const { operation: releasing = "" } = await desk.type(`release ${operation}`);
    expect((await desk.confirm(releasing)).headline).toBe(`Released: ${namespace}/${pod}`);
    await expectRestored(pod);
  });

  test("is frozen for 20 s: plan and status answer from the cache, Confirm waits for the server, and then all goes on", async () => {
    const pod = await aPod();
    await cacheIsRight(cluster);
    const begun = performance.now();
    plane.freeze();
    const plan = await desk.type(`quarantine ${namespace}/${pod}`);
    expect(plan.headline).toBe(`Plan: quarantine ${namespace}/${pod}`);
    expect(wordsOf(plan)).toContain("the API server cannot be asked now (cluster prod: the Kubernetes API at");
    const [status, early] = await Promise.all([desk.type(`status ${namespace}`), desk.confirm(plan.operation!)]);
    expect(wordsOf(status)).toContain("This is what was known");
    expect(early.headline).toBe("Not done: the cluster cannot be asked");
    await wait(Math.max(0, 20_000 - (performance.now() - begun)));
    plane.thaw();
    await cacheIsRight(cluster);
    await expectRestored(pod);
    expect((await desk.confirm(plan.operation!)).headline).toBe(`ISOLATED FOR NEW CONNECTIONS (${namespace}/${pod})`);
    await expectIsolated(pod, plan.operation!);
    const { operation: releasing = "" } = await desk.type(`release ${plan.operation}`);
    expect((await desk.confirm(releasing)).headline).toBe(`Released: ${namespace}/${pod}`);
  });

  test("is restarted while pods come and go: the caches have what kubectl sees", async () => {
    const gone = await aPod();
    plane.kill();
    await waitFor(() => cluster.watches().every(({ problem }) => problem !== undefined), patience);
    await plane.restart();
    await kubectl(["delete", "pod", gone, "-n", namespace, "--grace-period=0", "--force"], {
      kubeconfig: plane.kubeconfig,
    });
    await aPod();
    await cacheIsRight(cluster);
  });

  test("has another token for the bot after its restart: the answer says so, and a renewed kubeconfig is taken up", async () => {
    plane.kill();
    plane.rotateBotToken("another-token");
    await plane.restart();
    const words = async () => wordsOf(await desk.type(`status ${namespace}`));
    await waitFor(async () => (await words()).includes("does not accept these credentials"), patience);
    expect(await words()).not.toContain("bot-token");
    writeFileSync(plane.botKubeconfig, readFileSync(plane.botKubeconfig, "utf8").replace("bot-token", "another-token"));
    await cacheIsRight(cluster);
    expect(await words()).not.toContain("credentials");
  });
});
