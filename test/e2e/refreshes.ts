import { expect } from "vitest";
import type { Delivery } from "../../src/sandbox/slack/dispatch.ts";
import type { SandboxSlack } from "../../src/sandbox/slack/server.ts";
import { waitFor } from "../wait.ts";
import { outcomesOf } from "./outcomes.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" } as const;
const slow = { timeoutMs: 20_000 };

/** Sends 50 commands, asks each of two connections to move meanwhile, and expects 50 acknowledgements and answers. */
export async function refreshes(slack: SandboxSlack): Promise<void> {
  const acknowledgements: Promise<Delivery>[] = [];
  const send = (from: number, to: number): void => {
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
}

/** A pod that there is not: its command ends in one answer that names it. */
function nobody(at: number): string {
  return `nope-${String(at).padStart(3, "0")}x`;
}
