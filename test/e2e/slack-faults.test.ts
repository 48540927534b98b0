import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Delivery } from "../../src/sandbox/slack/dispatch.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { testRedisUrl } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { outcomesOf } from "./outcomes.ts";

const user = "U0ALICE";
const channel = "C0INCIDENT";
const alice = { user, channel } as const;
const slow = { timeoutMs: 20_000 };

let world: World;

/** The real bot as a process of its own, with two connections to the sandbox Slack. */
beforeAll(async () => {
  world = await startWorld({
    node: process.execPath,
    env: process.env,
    redisUrl: testRedisUrl(),
    config: { settle: "0s" },
  });
});
afterAll(() => world?.close());
beforeEach(async () => {
  world.slack.faults.clear();
  await waitFor(() => world.slack.connections() === 2, slow);
});

/** A pod that there is not: its command ends in one answer that names it. */
const nobody = (at: number): string => `nope-${String(at).padStart(3, "0")}x`;

describe("connections that come and go", () => {
  test("Each connection is refreshed during 50 commands, and every one is acknowledged in time and answered once", async () => {
    const { slack } = world;
    const acknowledgements: Promise<Delivery>[] = [];
    const send = (from: number, to: number) => {
      for (let at = from; at < to; at += 1) {
        acknowledgements.push(slack.command({ ...alice, text: `quarantine shop/${nobody(at)} refresh` }));
      }
    };
    send(0, 16);
    slack.disconnect("warning", 0);
    send(16, 32);
    await waitFor(() => slack.connections() > 2, slow);
    send(32, 40);
    slack.disconnect("refresh_requested", 1);
    send(40, 50);
    const all = await Promise.all(acknowledgements);
    expect(all.map(({ acknowledgement }) => acknowledgement.kind)).toEqual(Array(50).fill("acknowledged"));
    const outcomes = (at: number) => outcomesOf(slack, nobody(at), { ...alice, acknowledgements: all });
    await waitFor(() => all.every((_, at) => outcomes(at).length > 0), slow);
    expect(all.map((_, at) => outcomes(at).length)).toEqual(Array(50).fill(1));
  });
});
