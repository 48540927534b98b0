import type { SandboxSlack } from "../../src/sandbox/slack/server.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { waitFor } from "../wait.ts";
import type { AllowanceWatcher } from "./allowance-watcher.ts";
import { wordsOf } from "./answers.ts";
import type { Arena } from "./arena.ts";

const people = 6;
const shortestSeconds = 30;
const spreadSeconds = 60;
const channel = "C0INCIDENT";
const user = "U0ALICE";

const labels = { app: "worker" };
const workload = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "worker" },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: "main", image: "none.invalid/main" }], automountServiceAccountToken: false },
    },
  },
};
const defaultDeny = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "default-deny" },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
};

/** Two pods that nothing may be reached from or reach. */
export async function prepareNamespace({ admin }: Arena, namespace: string): Promise<void> {
  const policies = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
  await admin.request("POST", `/apis/apps/v1/namespaces/${namespace}/deployments`, { body: workload });
  await admin.request("POST", policies, { body: defaultDeny });
  const pods = async () =>
    ((await admin.request("GET", `/api/v1/namespaces/${namespace}/pods`)) as { readonly items: readonly object[] })
      .items;
  await waitFor(async () => (await pods()).length === 2, { timeoutMs: 60_000 });
}

type Opening = {
  readonly arena: Arena;
  readonly watcher: AllowanceWatcher;
  readonly namespace: string;
  readonly wanted: number;
};

/** So many, by some people at once, each to an address of its own; their times are spread over a minute. */
export async function openAllowances(opening: Opening): Promise<void> {
  const { wanted } = opening;
  const numbers = Array.from({ length: wanted }, (_, index) => index);
  const person = async (): Promise<void> => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      await open(opening, number, shortestSeconds + Math.round((number / wanted) * spreadSeconds));
    }
  };
  await Promise.all(Array.from({ length: people }, person));
}

/** Types and presses until an object is there; each try has a reason of its own, by which its card is known. */
async function open({ arena: { slack }, watcher, namespace }: Opening, number: number, seconds: number): Promise<void> {
  const cidr = `198.18.${number >> 8}.${number & 255}/32`;
  const isOpen = () => watcher.lives().some((life) => life.cidr === cidr);
  for (let attempt = 1; attempt <= 20 && !isOpen(); attempt += 1) {
    const reason = `slot ${number} attempt ${attempt}!`;
    const text = `allow egress-to-cidr workload=${namespace}/worker cidr=${cidr} for ${seconds}s ${reason}`;
    await slack.command({ user, channel, text }).catch(() => undefined);
    await patiently(() => cardOf(slack, reason), 20_000);
    await confirm(slack, reason, isOpen);
  }
  if (isOpen()) return;
  const shown = slack.messages(channel).slice(-3);
  throw new Error(`slot ${number} was not opened; shown: ${shown.map((one) => one.text.slice(0, 300)).join(" | ")}`);
}

/** While its card offers that; a press may be lost with the replica that took it. */
async function confirm(slack: SandboxSlack, reason: string, isOpen: () => boolean): Promise<void> {
  for (let press = 0; press < 3 && !isOpen(); press += 1) {
    const card = cardOf(slack, reason);
    if (card === undefined) return;
    if (JSON.stringify(card.blocks).includes('"np:confirm"')) {
      await slack.press({ user, message: card, button: "np:confirm" }).catch(() => undefined);
    }
    await patiently(() => isOpen() || undefined, 10_000);
  }
}

function cardOf(slack: SandboxSlack, reason: string): Message | undefined {
  return slack
    .messages(channel)
    .findLast((message) => wordsOf(message).includes(reason) && /\ba-[0-9a-z]{7}\b/.test(wordsOf(message)));
}

function patiently<T>(condition: () => T | undefined, timeoutMs: number): Promise<T | undefined> {
  return waitFor(condition, { timeoutMs, everyMs: 50 }).catch(() => undefined);
}
