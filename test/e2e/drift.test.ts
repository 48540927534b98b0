import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAuditLog } from "../../src/audit/log.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { connectTestRedis, emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" };

let redis: Redis;
let world: World;

beforeAll(async () => {
  redis = await connectTestRedis();
  const redisUrl = await emptyTestRedis();
  world = await startWorld({ node: process.execPath, env: process.env, redisUrl, config: { settle: "0s" } });
});

afterAll(async () => {
  await world?.close();
  redis?.disconnect();
});

const policies = () =>
  world.cluster.objects("NetworkPolicy", "shop").filter(({ metadata }) => metadata.labels?.[marks.operation]);

function seen(text: string): Promise<Message> {
  return world.slack.waitForMessage((message) => JSON.stringify([message.text, message.blocks]).includes(text));
}

const press = (message: Message, button: string) =>
  world.slack.press({ user: "U0ALICE", message: world.slack.current(message) ?? message, button });

test("The real bot tells within 2 s what somebody else does to a quarantine, who, and by which revision, and a press puts it back", async () => {
  const pods = world.cluster.objects("Pod", "shop");
  const pod = pods.find(({ metadata }) => metadata.labels?.["app"] === "frontend")?.metadata.name ?? "";
  await world.slack.command({ ...alice, text: `quarantine shop/${pod}` });
  const plan = await seen(`Plan: quarantine shop/${pod}`);
  const says = (text: string) => waitFor(() => world.slack.current(plan)?.text.includes(text));
  await press(plan, "np:confirm");
  await says("ISOLATED FOR NEW CONNECTIONS");
  const [deny] = policies();
  const operation = deny?.metadata.labels?.[marks.operation] ?? "";
  const began = Date.now();
  world.cluster.apply({ ...deny, spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] } });
  const told = JSON.stringify((await seen(`NOT ISOLATED as it was: ${operation}`)).blocks);
  expect(Date.now() - began).toBeLessThan(2_000);
  expect(told).toContain('"user_id":"U0ALICE"');
  expect(told).toContain("by the program kubectl-client-side-apply");
  await says(`NOT ISOLATED: NetworkPolicy shop/bulkhead-${operation} is not as it was written`);
  const stored = await createOperations(redis, { now: Date.now }).get(operation);
  expect(stored?.drift?.records).toMatchObject([{ kind: "object-changed", revision: expect.stringMatching(/^v-/) }]);
  await press(plan, "np:restore");
  await seen(`As it was again: ${operation}`);
  await says("ISOLATED FOR NEW CONNECTIONS");
  expect(policies()[0]?.["spec"]).toEqual(deny?.["spec"]);
  await world.slack.command({ ...alice, text: `release ${operation}` });
  await press(await seen(`Plan: release shop/${pod}`), "np:confirm");
  await waitFor(() => policies().length === 0);
  await seen(`Released: shop/${pod}`);
  const entries = await createAuditLog(redis, { onEntry: () => undefined }).read({ operation });
  expect(entries.filter(({ kind }) => kind === "drift")).toHaveLength(2);
});
