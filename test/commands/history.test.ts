import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { changesWithin } from "../../src/commands/history-lines.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { createHistory, type History } from "../../src/history/history.ts";
import type { Author, RawPolicy, Revision } from "../../src/policy/revision.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { connectTestRedis } from "../redis.ts";
import { bob, startDesk, type TestDesk, wordsIn } from "./desk.ts";

const authors: readonly Author[] = [{ kind: "manager", manager: "kubectl-edit", operation: "Update", at: undefined }];

let nowMs = Date.now();
let desk: TestDesk;
let history: History;

beforeAll(async () => {
  const redis = await connectTestRedis();
  history = createHistory(redis, { keepMs: 86_400_000, perPolicy: 50, authors: () => authors });
  desk = await startDesk({
    // What changes do is worked out for a second and no longer, which is none of this file's matters.
    services: { history, now: () => (nowMs += 1) },
    cluster: { objects: seedObjects() },
    settings: {
      access: {
        rules: [
          { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["*"] },
          { principals: ["slack:T1/U2"], verbs: ["status"], namespaces: ["payments"] },
        ],
        people: [],
      },
    },
  });
});
beforeEach(async () => {
  await desk.redis.flushdb();
  versions = 1_000;
});
afterAll(() => desk.close());

let versions: number;

type Form = {
  readonly namespace?: string;
  readonly spec?: RawPolicy["spec"];
  readonly annotations?: Record<string, string>;
};

/** The next version of a policy that closes all of its namespace. */
function policy(name: string, { namespace = "payments", spec, annotations }: Form = {}): RawPolicy {
  versions += 1;
  const metadata = { name, namespace, uid: `uid-${namespace}-${name}`, resourceVersion: `${versions}` };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: annotations === undefined ? metadata : { ...metadata, annotations },
    spec: spec ?? { podSelector: {}, policyTypes: ["Ingress"] },
  };
}

async function make(object: RawPolicy, at = desk.services.now()): Promise<void> {
  await history.saw([{ kind: "there", cluster: "sandbox", object, previous: undefined, continuous: true, at }]);
}

async function remove(object: RawPolicy, continuous = true): Promise<void> {
  const resourceVersion = `${(versions += 1)}`;
  await history.saw([
    { kind: "gone", cluster: "sandbox", object, resourceVersion, continuous, at: desk.services.now() },
  ]);
}

const rowsOf = (reply: Reply) => reply.sections.flatMap((section) => (section.kind === "row" ? [section] : []));
const linesOf = (reply: Reply) => rowsOf(reply).map(({ text }) => text);

const open = {
  podSelector: { matchLabels: { app: "checkout" } },
  policyTypes: ["Ingress"],
  ingress: [{ ports: [{ port: 8080 }] }],
};

test("History says newest first who changed what, what that opens, whose it is and that it was undone", async () => {
  await make(
    policy("opened", {
      spec: open,
      annotations: { "argocd.argoproj.io/tracking-id": "shop:networking.k8s.io/NetworkPolicy:payments/opened" },
    }),
  );
  await remove(policy("gone", { namespace: "shop" }), false);
  const [gone] = await history.list({ namespace: "shop", limit: 1 });
  await history.markUndone([gone?.id ?? ""], "u-1234567");
  const reply = await desk.type("history");
  const [first = "", second = "", ...more] = linesOf(reply);
  expect(more).toEqual([]);
  expect(first).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC v-\w{7}: NetworkPolicy shop\/gone was deleted by the program kubectl-edit, while nobody watched: steps before it are not known\./,
  );
  expect(first).toContain("Undone by u-1234567.");
  expect(second).toMatch(
    /: NetworkPolicy payments\/opened was created by the program kubectl-edit\. Opens anywhere outside the cluster → payments\/checkout \(Deployment\) on TCP 8080 and \d+ more\./,
  );
  expect(second).toContain("Owner: Argo CD shop.");
  expect(rowsOf(reply).map(({ buttons }) => buttons.map(({ label }) => label))).toEqual([
    ["Show diff"],
    ["Show diff", "Roll back"],
  ]);
});

test("A namespace, a policy, its kind and a time narrow it", async () => {
  await make(policy("a"), desk.services.now() - 3 * 3_600_000);
  await make(policy("b"));
  await make(policy("a", { namespace: "shop" }));
  const shown = async (text: string) =>
    linesOf(await desk.type(text)).map((line) => /NetworkPolicy (\S+)/.exec(line)?.[1]);
  expect(await shown("history payments")).toEqual(["payments/b", "payments/a"]);
  expect(await shown("history payments/a")).toEqual(["payments/a"]);
  expect(await shown("history payments/networkpolicy/a")).toEqual(["payments/a"]);
  expect(await shown("history payments/ciliumnetworkpolicy/a")).toEqual([]);
  expect(await shown("history payments since 2h")).toEqual(["payments/b"]);
});

test("What lies where one has no right is not there, nor is what is of the whole cluster", async () => {
  const cluster: RawPolicy = { ...policy("wide"), apiVersion: "cilium.io/v2", kind: "CiliumClusterwideNetworkPolicy" };
  const { namespace: _, ...metadata } = cluster.metadata;
  await make({ ...cluster, metadata });
  await make(policy("b", { namespace: "shop" }));
  await make(policy("a"));
  expect(linesOf(await desk.type("history"))).toHaveLength(3);
  const forBob = await desk.type("history", bob);
  expect(linesOf(forBob)).toHaveLength(1);
  expect(wordsIn(forBob)).not.toMatch(/shop|wide/);
  expect((await desk.type("history shop", bob)).outcome).toBe("refused");
  expect(linesOf(await desk.type("history /wide"))).toHaveLength(1);
  expect(linesOf(await desk.type("history sandbox:/ciliumclusterwidenetworkpolicy/wide"))).toHaveLength(1);
  expect(linesOf(await desk.type("history /a"))).toEqual([]);
  expect(wordsIn(await desk.type("history /wide", bob))).toContain("lets slack:T1/U2 status in all namespaces");
  expect(wordsIn(await desk.type("rollback /wide", bob))).not.toContain("CiliumClusterwide");
  const [hidden] = await history.list({ namespace: "shop", limit: 1 });
  expect(wordsIn(await desk.type(`diff ${hidden?.id}`, bob))).toContain(`There is no change ${hidden?.id}`);
});

test("Many changes are counted, and the way to fewer is said", async () => {
  for (let index = 0; index < 13; index++) await make(policy(`p${index}`));
  const reply = await desk.type("history");
  expect(linesOf(reply)).toHaveLength(10);
  expect(wordsIn(reply)).toContain("3 more are not shown. Name a namespace");
});

test("An empty history says why", async () => {
  expect(wordsIn(await desk.type("history payments"))).toContain("No policy that you may see is recorded in payments");
  await history.saw([
    { kind: "there", cluster: "sandbox", object: policy("a"), previous: undefined, continuous: false, at: 1 },
  ]);
  expect(wordsIn(await desk.type("history payments"))).toContain(
    "1 policy is there, and it was not changed since Bulkhead began to record.",
  );
});

test("Diff shows the YAML and the connections, and its button rolls the change back", async () => {
  await make(policy("opened", { spec: open }));
  const [revision] = await history.list({ limit: 1 });
  const reply = await desk.type(`diff ${revision?.id.slice(0, 7)}`);
  expect(reply.headline).toBe(`${revision?.id}: NetworkPolicy payments/opened was created`);
  const words = wordsIn(reply);
  expect(words).toContain("+kind: NetworkPolicy");
  expect(words).toContain("anywhere outside the cluster → payments/checkout (Deployment) on TCP 8080");
  expect(rowsOf(reply)).toMatchObject([{ subject: revision?.id, buttons: [{ action: "roll-back" }] }]);
  expect((await desk.type("diff v-zzzzzzz")).outcome).toBe("refused");
});

test("The buttons of a line are the commands that one could have typed, and carry nothing else", async () => {
  await make(policy("a"));
  const [revision] = await history.list({ limit: 1 });
  const pressed = await desk.press("show-diff", revision?.id);
  expect(pressed.headline).toBe(`${revision?.id}: NetworkPolicy payments/a was created`);
  expect(desk.events.at(-1)).toMatchObject({ kind: "command", verb: "press show-diff" });
  const asBob = await desk.press("show-diff", revision?.id, { principal: { ...bob, user: "U9" } as typeof bob });
  expect(asBob.outcome).toBe("refused");
  for (const forged of ["q-1234567", "v-1", "v-1234567 --override", ""]) {
    expect((await desk.press("roll-back", forged)).headline).toBe("This button does nothing for you");
  }
});

test("Where Redis is not reached, that is said", async () => {
  const none = await startDesk();
  Object.assign(none.services, { history: undefined });
  expect((await none.type("history")).outcome).toBe("failed");
  expect((await none.type("diff v-1234567")).outcome).toBe("failed");
  await none.close();
});

test("Changes within a window come with their times, oldest first", () => {
  const revision = (id: string, at: number): Revision => ({
    version: 1,
    cluster: "c",
    change: "changed",
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    namespace: "shop",
    name: "web",
    uid: "u",
    resourceVersion: "1",
    before: undefined,
    after: undefined,
    authors,
    gap: false,
    id,
    at,
  });
  const all = [revision("v-3", 30), revision("v-2", 20), revision("v-1", 10)];
  expect(changesWithin(all, { since: 10, until: 20 })).toEqual([
    { at: 10, revision: "v-1", text: "v-1: NetworkPolicy shop/web changed by the program kubectl-edit" },
    { at: 20, revision: "v-2", text: "v-2: NetworkPolicy shop/web changed by the program kubectl-edit" },
  ]);
});
