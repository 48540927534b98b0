import type { Redis } from "ioredis";
import { expect } from "vitest";
import { createAuditLog } from "../../src/audit/log.ts";
import type { Delivery } from "../../src/sandbox/slack/dispatch.ts";
import type { World } from "../../src/sandbox/world.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { waitFor } from "../wait.ts";
import { operationOf, outcomesOf, podsOf } from "./outcomes.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" } as const;
const slow = { timeoutMs: 20_000 };

/** Commands of every kind, each with a word of its answer. */
const commands = [
  ["a plan", alice, "quarantine POD duplicate", /Plan: quarantine/],
  ["a dry run", alice, "quarantine POD dry --dry-run", /dry run/i],
  ["a pod that there is not", alice, "quarantine shop/nobody-1 duplicate", /nobody-1/],
  ["a command that is none", alice, "quarntine shop/x", /quarntine/],
  ["a person without the right", { ...alice, user: "U0CAROL" }, "quarantine POD forbidden", /whoami/],
  ["a guest", { ...alice, user: "U0GUEST" }, "quarantine POD guest", /full members only/],
  ["status", alice, "status shop", /shop/],
  ["audit", alice, "audit since 24h", /audit/i],
  ["whoami", alice, "whoami", /slack:T0ACME/],
  ["help", alice, "help", /quarantine/],
] as const;

/**
 * Delivers a command of every kind and two presses, and all of them again over the other connection, `afterMs` later:
 * nothing is shown, written or recorded a second time.
 */
export async function duplicates(world: World, redis: Redis, afterMs: number | undefined): Promise<void> {
  const { slack, cluster } = world;
  const [pod, second] = podsOf(cluster, "shop").toReversed();
  const first: Delivery[] = [];
  for (const [, who, text, answer] of commands) {
    const before = slack.calls.length;
    first.push(await slack.command({ ...who, text: text.replace("POD", pod ?? "") }));
    await waitFor(() => slack.calls.slice(before).some(({ args }) => answer.test(JSON.stringify(args))), slow);
  }
  const asked = await slack.command({ ...alice, text: `quarantine ${second} pressed twice` });
  const operation = operationOf(asked);
  const plan = await slack.waitForMessage(({ text }) => text.includes(operation) && text.includes("Plan:"), 20_000);
  const press = await slack.press({ user: alice.user, message: plan, button: "np:confirm" });
  await waitFor(() => slack.current(plan)?.text.includes("ISOLATED"), slow);
  const before = await effects(world, redis);
  const how = { connection: "other", ...(afterMs === undefined ? {} : { afterMs }) } as const;
  const again = await Promise.all([...first, asked, press].map((one) => slack.deliverAgain(one, 1, how)));
  expect(again.flat().map(({ acknowledgement }) => acknowledgement.kind)).toEqual(again.map(() => "acknowledged"));
  const fence = await slack.command({ ...alice, text: "quarantine shop/fence-1 afterwards" });
  await waitFor(() => outcomesOf(slack, "fence-1", { ...alice, acknowledgements: [fence] }).length > 0, slow);
  expect(await effects(world, redis)).toEqual(before);
}

/** All that a delivery may leave behind, apart from what the fence leaves. */
async function effects({ slack, cluster }: World, redis: Redis) {
  const sent = slack.calls.filter(({ method }) => method === "response_url" || method.startsWith("chat."));
  const entries = await createAuditLog(redis, { onEntry: () => undefined }).read({});
  const operations = await createOperations(redis, { now: Date.now }).list({});
  return {
    sent: sent
      .map(({ method, args }) => `${method} ${JSON.stringify(args)}`)
      .filter((call) => !call.includes("fence-1")),
    entries: entries.map(({ summary }) => summary).filter((summary) => !summary.includes("fence-1")),
    operations: operations.map(({ id, target }) => `${id} ${target.pod}`).filter((one) => !one.includes("fence-1")),
    policies: cluster.objects("NetworkPolicy").map(({ metadata }) => metadata.name),
  };
}
