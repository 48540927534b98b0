import { expect } from "vitest";
import type { FaultRule } from "../../src/sandbox/slack/faults.ts";
import type { World } from "../../src/sandbox/world.ts";
import { waitFor } from "../wait.ts";
import { operationOf, outcomesOf, podsOf } from "./outcomes.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" } as const;
/** The faults last 30 s at most; what was owed is shown within a minute after. */
const patient = { timeoutMs: 90_000, everyMs: 50 };

/** Plans of many pods, asked for at once while all of chat.* meets the fault: each is shown once and can be used. */
export async function plansWhile({ slack, cluster }: World, fault: FaultRule): Promise<void> {
  const heal = slack.faults.add({ ...fault, method: "chat.*" });
  const pods = podsOf(cluster, "shop", "payments");
  const all = await Promise.all(pods.map((pod) => slack.command({ ...alice, text: quarantineOf(pod) })));
  expect(all.map(({ acknowledgement }) => acknowledgement.kind)).toEqual(all.map(() => "acknowledged"));
  const plans = all.map((one) => () => outcomesOf(slack, operationOf(one), { ...alice, acknowledgements: all }));
  await waitFor(() => plans.every((shown) => shown().length > 0), patient);
  heal();
  expect(plans.map((shown) => shown().length)).toEqual(plans.map(() => 1));
  const [plan] = plans[0]?.() ?? [];
  if (plan === undefined) throw new Error("no plan is shown");
  await slack.press({ user: alice.user, message: plan, button: "np:cancel" });
  await waitFor(() => slack.current(plan)?.text.startsWith("Cancelled"), patient);
}

/** Some are the last ready replica of their Service. */
export function quarantineOf(pod: string): string {
  return `quarantine ${pod} --confirm ${pod.split("/")[1]} trouble`;
}

/**
 * A plan is confirmed while all of chat.* meets the fault: it is carried out at once, the caller is told, and the card
 * that everybody sees says so once Slack takes it.
 */
export async function confirmedWhile({ slack, cluster }: World, fault: FaultRule): Promise<void> {
  const [pod = ""] = podsOf(cluster, "shop");
  const asked = await slack.command({ ...alice, text: quarantineOf(pod) });
  const operation = operationOf(asked);
  const plan = await slack.waitForMessage(({ text }) => text.includes(operation) && text.includes("Plan:"), 20_000);
  slack.faults.add({ ...fault, method: "chat.*" });
  await slack.press({ user: alice.user, message: plan, button: "np:confirm" });
  const policies = () => cluster.objects("NetworkPolicy", "shop").map(({ metadata }) => metadata.name);
  await waitFor(() => policies().some((name) => name.includes(operation)), patient);
  if (fault.kind !== "lost") expect(slack.current(plan)?.text).toContain("Plan:");
  await waitFor(() => slack.current(plan)?.text.includes("ISOLATED FOR NEW CONNECTIONS"), patient);
  const cards = slack.messages(alice.channel).filter(({ text }) => text.includes(operation));
  expect(cards).toHaveLength(1);
}
