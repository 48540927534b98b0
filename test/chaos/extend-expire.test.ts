import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Closing, closeObject } from "../../src/commands/close-allowance.ts";
import { objectsOfAllowance } from "../../src/commands/find-allowance.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { loadTemplates, shippedTemplates } from "../../src/templates.ts";
import { startDesk, type TestDesk, wordsIn } from "../commands/desk.ts";
import { waitFor } from "../wait.ts";
import { createRandom } from "./random.ts";

/** Somebody extends an allowance at the very moment at which it ends. EXTEND_SEED, printed, repeats the moments; EXTEND_TRIES is how often. */
const tries = Number(process.env["EXTEND_TRIES"] ?? 300);
const seed = Number(process.env["EXTEND_SEED"] ?? Date.now() % 1_000_000);
const random = createRandom(seed);
/** What each is opened for, and extended by. */
const stepSeconds = 60;

let desk: TestDesk;
let passedMs = 0;

beforeAll(async () => {
  const { templates } = loadTemplates(shippedTemplates);
  desk = await startDesk({
    cluster: { now: () => Date.now() + passedMs, objects: world },
    monotonic: () => performance.now() + passedMs,
    services: { templates: { all: () => templates, problems: () => [] } },
    settings: { limits: { pods: 5, perPerson: 1_000_000, perCluster: 1_000_000 } },
  });
  await waitFor(() => desk.sandbox.objects("Pod").length === 1);
});

afterAll(() => desk.close());

const labels = { app: "checkout" };
const world = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "default-deny", namespace: "payments" },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "checkout", namespace: "payments" },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "main", image: "x" }] } },
    },
  },
];

function clusterOfDesk() {
  const found = desk.services.clusters.get("sandbox");
  if (found === undefined) throw new Error("the desk has no cluster");
  return found.cluster;
}

/** Each to an address of its own: the one before may be open still. */
async function open(turn: number): Promise<string> {
  const cidr = `198.18.${turn >> 8}.${turn & 255}/32`;
  const planned = await desk.type(
    `allow egress-to-cidr workload=payments/checkout cidr=${cidr} for ${stepSeconds}s a race`,
  );
  const opened = await desk.press("confirm", planned.operation);
  expect(opened.headline, wordsIn(opened)).toMatch(/^OPEN until /);
  return planned.operation ?? "";
}

/** As every net does: looks, waits for as long as it is told, and looks again; ends once it is closed or holds for much longer. */
async function closing(operation: string): Promise<Closing> {
  const cluster = clusterOfDesk();
  const [stored] = await objectsOfAllowance(cluster, operation);
  if (stored === undefined) throw new Error(`nothing of ${operation} is there`);
  for (;;) {
    const found = await closeObject({ cluster }, { reference: stored.object, why: "expired" });
    if (found.kind !== "not-yet" || found.inMs > 10_000) return found;
    await delay(found.inMs);
  }
}

type Outcome = { readonly reply: Reply; readonly closed: Closing; readonly state: string };

/** Moves on to so many milliseconds before the end, and lets both at it. */
async function race(operation: string, aheadMs: number): Promise<Outcome> {
  const cluster = clusterOfDesk();
  const [stored] = await objectsOfAllowance(cluster, operation);
  const time = cluster.serverTime();
  if (stored === undefined || time === undefined) throw new Error("there is nothing to race for");
  passedMs += stored.known.endsAt - time.earliestMs - aheadMs;
  const [closed, reply] = await Promise.all([
    closing(operation),
    delay(random.between(0, 10)).then(() => desk.type(`extend ${operation} ${stepSeconds}s still needed`)),
  ]);
  return { reply, closed, state: await stateAfter(operation, stored.known.ttlSeconds) };
}

/** By the object and by the record, which must agree: `longer`, `gone`, or what is wrong. */
async function stateAfter(operation: string, wasSeconds: number): Promise<string> {
  const [left] = await objectsOfAllowance(clusterOfDesk(), operation);
  const { ttlSeconds, extending } = (await desk.services.operations.get(operation))?.allowance ?? {};
  const more = wasSeconds + stepSeconds;
  if (extending === undefined && left?.known.ttlSeconds === more && ttlSeconds === more) return "longer";
  if (extending === undefined && left === undefined && ttlSeconds === wasSeconds) return "gone";
  return `neither: ${left?.known.ttlSeconds} s on the object, ${ttlSeconds} s in the record, ${extending?.ttlSeconds} s under way`;
}

test(`Of an extension and an expiry at the same moment exactly one wins, ${tries} times, and the person is told which`, async () => {
  const wins = { extended: 0, expired: 0 };
  let operation = await open(0);
  // How long an extension takes here, by who wins: so that it stays even on a machine that is slow or busy.
  let aheadMs = 40;
  for (let turn = 0; turn < tries; turn += 1) {
    const { reply, closed, state } = await race(operation, aheadMs);
    const about = `turn ${turn}, EXTEND_SEED=${seed}: ${reply.headline} ${wordsIn(reply)}, ${closed.kind}`;
    if (state === "longer") {
      wins.extended += 1;
      aheadMs = Math.max(1, aheadMs * 0.85);
      expect(reply, about).toMatchObject({ outcome: "ok", headline: expect.stringMatching(/^Extended until /) });
      expect(closed.kind, about).toBe("not-yet");
    } else {
      wins.expired += 1;
      aheadMs = Math.min(1_000, aheadMs * 1.15);
      expect(state, about).toBe("gone");
      expect(closed.kind, about).toBe("closed");
      expect(reply.outcome, about).toBe("refused");
      expect(wordsIn(reply), about).toContain("t has just ended");
    }
    // With its total used up it cannot be extended any more.
    if (state !== "longer" || turn % 50 === 49) operation = await open(turn + 1);
  }
  process.stdout.write(`extend against expire: ${JSON.stringify(wins)}, EXTEND_SEED=${seed}\n`);
  expect(Math.min(wins.extended, wins.expired)).toBeGreaterThan(tries / 5);
});
