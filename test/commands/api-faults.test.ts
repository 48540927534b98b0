import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Reply } from "../../src/commands/reply.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Fault, FaultMatch } from "../../src/sandbox/kubernetes/faults.ts";
import { approvalSettings } from "./approval-settings.ts";
import { canarySettings } from "./canary-settings.ts";
import { startDesk, stored, type TestDesk } from "./desk.ts";

/** One desk for all cases, each in a namespace of its own; calls to the cluster end after 2 s, so that not too many go at once. */
let desk: TestDesk;
const before = { app: "checkout", team: "core" };

beforeAll(async () => {
  desk = await startDesk({
    timeoutMs: 2_000,
    services: {
      settings: {
        access: { rules: [{ principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["*"] }], people: [] },
        protectedNamespaces: [],
        ownNamespace: "bulkhead",
        redisService: undefined,
        endpoints: [],
        settleMs: 0,
        realiseMs: 2_000,
        writesCalicoStorage: false,
        detach: true,
        requiresReaper: false,
        limits: { pods: 5, perPerson: 1_000, perCluster: 1_000 },
        clusters: { home: "sandbox", defaultCluster: undefined, channels: {} },
        ...approvalSettings,
        canary: canarySettings,
      },
    },
  });
  // The first call imports client-node, within its limit.
  await desk.services.clusters
    .get("sandbox")!
    .cluster.namespaces()
    .catch(() => undefined);
});

afterAll(() => desk.close());

const faults: Readonly<Record<string, { readonly fault: Fault; readonly times?: number }>> = {
  "429 with Retry-After": { fault: { type: "status", code: 429, retryAfterSeconds: 0 } },
  "429 for good": { fault: { type: "status", code: 429, retryAfterSeconds: 30 }, times: 99 },
  "500 once": { fault: { type: "status", code: 500 } },
  "503 for good": { fault: { type: "status", code: 503, retryAfterSeconds: 0 }, times: 99 },
  "409 once": { fault: { type: "status", code: 409 } },
  "401 for good": { fault: { type: "status", code: 401 }, times: 99 },
  "403 for good": { fault: { type: "status", code: 403 }, times: 99 },
  "a reset before it is done": { fault: { type: "reset" } },
  "a reset after it is done": { fault: { type: "lose-answer" } },
  "no answer, and it is not done": { fault: { type: "hang" } },
  "no answer, but it is done": { fault: { type: "swallow-answer" } },
};

type Step = Pick<FaultMatch, "method" | "path" | "skip">;

const quarantineSteps: Readonly<Record<string, Step>> = {
  "the policy": { method: "POST", path: "/networkpolicies" },
  "the quarantine label": { method: "PATCH", path: "/pods/checkout" },
  "the other labels": { method: "PATCH", path: "/pods/checkout", skip: 1 },
  // The first such list is the plan's, drawn again.
  "the read-back": { method: "GET", path: "/networkpolicies?", skip: 1 },
};

const releaseSteps: Readonly<Record<string, Step>> = {
  "the labels back": { method: "PATCH", path: "/pods/checkout" },
  "the quarantine label off": { method: "PATCH", path: "/pods/checkout", skip: 1 },
  "the policy off": { method: "DELETE", path: "/networkpolicies/" },
  // The first such list is the plan's, drawn again.
  "the read-back": { method: "GET", path: "/networkpolicies?", skip: 1 },
};

let count = 0;

/** A namespace with one pod behind a Service, and the quarantine of it planned. */
async function prepare(): Promise<{ readonly namespace: string; readonly operation: string }> {
  const namespace = `case-${++count}`;
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "checkout", namespace, labels: before },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running" },
    },
  );
  const reply = await desk.type(`quarantine ${namespace}/checkout`);
  const { operation = "", headline } = reply;
  expect(headline, JSON.stringify(reply.sections)).toBe(`Plan: quarantine ${namespace}/checkout`);
  return { namespace, operation };
}

/** The fault strikes requests of this namespace alone. */
function strike(namespace: string, step: Step, { fault, times = 1 }: { fault: Fault; times?: number }): void {
  const path = `/namespaces/${namespace}${String(step.path)}`;
  const missed = step.skip === undefined ? {} : { skip: step.skip };
  desk.sandbox.faults.inject({ path, times, ...missed, ...(step.method ? { method: step.method } : {}) }, fault);
}

const labelsOf = (namespace: string) => stored(desk.sandbox, "Pod", "checkout", namespace)?.metadata.labels;
const policiesOf = (namespace: string) => desk.sandbox.objects("NetworkPolicy", namespace).length;
const isolated = (namespace: string) => `ISOLATED FOR NEW CONNECTIONS (${namespace}/checkout)`;

/** What is called done is done; what is not says so, with a next step. */
function expectHonest(reply: Reply, done: string, isDone: boolean): void {
  if (reply.headline === done) return expect(isDone).toBe(true);
  expect(reply, JSON.stringify([reply.headline, reply.sections])).toMatchObject({ outcome: "failed", tone: "bad" });
  expect(reply.buttons.length).toBeGreaterThan(0);
  expect(reply.headline).toMatch(/^Failed: /);
}

const isIsolated = (namespace: string, operation: string) =>
  isDeepStrictEqual(labelsOf(namespace), { [marks.quarantine]: operation, team: "core" }) &&
  policiesOf(namespace) === 1;
const isRestored = (namespace: string) => isDeepStrictEqual(labelsOf(namespace), before) && policiesOf(namespace) === 0;

async function release(operation: string): Promise<Reply> {
  const { operation: planned } = await desk.type(`release ${operation}`);
  return desk.press("confirm", planned);
}

/** Every fault at that step, side by side; what fails names its fault. */
async function withEachFault(attempt: (fault: keyof typeof faults) => Promise<void>): Promise<void> {
  const tries = Object.keys(faults).map((fault) =>
    attempt(fault).catch((cause: unknown) => {
      throw new Error(`${fault}: ${String(cause)}`, { cause });
    }),
  );
  const ended = await Promise.allSettled(tries);
  expect(ended.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []))).toEqual([]);
}

describe("A quarantine", () => {
  test.each(Object.keys(quarantineSteps))(
    "that meets trouble at %s ends in time, says what is so, and can be finished and released",
    (step) =>
      withEachFault(async (fault) => {
        const { namespace, operation } = await prepare();
        strike(namespace, quarantineSteps[step]!, faults[fault]!);
        const reply = await desk.press("confirm", operation);
        expectHonest(reply, isolated(namespace), isIsolated(namespace, operation));
        desk.sandbox.faults.clear(namespace);
        if (reply.outcome === "failed") {
          expect((await desk.press("retry", operation)).headline).toBe(isolated(namespace));
          expect(isIsolated(namespace, operation)).toBe(true);
        }
        expect((await release(operation)).headline).toBe(`Released: ${namespace}/checkout`);
        expect(isRestored(namespace)).toBe(true);
      }),
  );

  test.each(Object.keys(quarantineSteps))("that met trouble at %s can be released as it is", (step) =>
    withEachFault(async (fault) => {
      const { namespace, operation } = await prepare();
      strike(namespace, quarantineSteps[step]!, faults[fault]!);
      await desk.press("confirm", operation);
      desk.sandbox.faults.clear(namespace);
      expect((await release(operation)).headline).toBe(`Released: ${namespace}/checkout`);
      expect(isRestored(namespace)).toBe(true);
    }),
  );
});

describe("A release", () => {
  test.each(Object.keys(releaseSteps))(
    "that meets trouble at %s ends in time, says what is so, and can be finished",
    (step) =>
      withEachFault(async (fault) => {
        const { namespace, operation } = await prepare();
        expect((await desk.press("confirm", operation)).headline).toBe(isolated(namespace));
        const { operation: planned = "" } = await desk.type(`release ${operation}`);
        strike(namespace, releaseSteps[step]!, faults[fault]!);
        const reply = await desk.press("confirm", planned);
        expectHonest(reply, `Released: ${namespace}/checkout`, isRestored(namespace));
        desk.sandbox.faults.clear(namespace);
        if (reply.outcome === "failed") {
          expect((await desk.press("retry", planned)).headline).toBe(`Released: ${namespace}/checkout`);
        }
        expect(isRestored(namespace)).toBe(true);
      }),
  );
});

test("With a fifth of all answers 5xx every quarantine and every release comes to its end, some after being tried again", async () => {
  const cases = await Promise.all(Array.from({ length: 8 }, prepare));
  desk.sandbox.faults.inject(
    { share: 0.2, seed: 11, path: "/case-" },
    { type: "status", code: 500, retryAfterSeconds: 0 },
  );
  const upTo = async (attempt: () => Promise<Reply>, done: (reply: Reply) => boolean): Promise<Reply> => {
    let reply = await attempt();
    for (let tries = 1; tries < 10 && !done(reply); tries += 1) reply = await attempt();
    return reply;
  };
  await Promise.all(
    cases.map(async ({ namespace, operation }) => {
      const press = async (id: string) => {
        const state = (await desk.services.operations.get(id))?.state;
        return desk.press(state === "failed" ? "retry" : "confirm", id);
      };
      const done = isolated(namespace);
      expect(
        (
          await upTo(
            () => press(operation),
            ({ headline }) => headline === done,
          )
        ).headline,
      ).toBe(done);
      expect(isIsolated(namespace, operation)).toBe(true);
      const planned = await upTo(
        () => desk.type(`release ${operation}`),
        ({ headline }) => headline.startsWith("Plan: "),
      );
      const released = `Released: ${namespace}/checkout`;
      await upTo(
        () => press(planned.operation!),
        ({ headline }) => headline === released,
      );
      expect(isRestored(namespace)).toBe(true);
    }),
  );
  expect(desk.sandbox.faults.struck()).toBeGreaterThan(20);
});
