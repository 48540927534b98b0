import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { operationCard } from "../../src/commands/card.ts";
import { createObserver, type Observer } from "../../src/commands/observe.ts";
import { lineOf, lineWords } from "../../src/commands/observe-lines.ts";
import { outcomeOf } from "../../src/commands/timeline-words.ts";
import type { FlowSourceState } from "../../src/flows/flow-source.ts";
import { createInterests } from "../../src/flows/interests.ts";
import type { FlowRecord } from "../../src/flows/record.ts";
import type { Sighting } from "../../src/flows/sighting.ts";
import { createObservations } from "../../src/scheduler/observations.ts";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";
import { type Death, mortal } from "./mortal.ts";
import { sightingOf } from "./sightings.ts";

let desk: TestDesk;
let replicas: readonly Observer[];
let pods = 0;
let pod: string;
let uid: string;
let operation: string;
let sources: readonly FlowSourceState[];
const interests = createInterests();

beforeAll(async () => {
  desk = await startDesk({ watch: true });
  desk.sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } });
  replicas = [1, 2, 3].map(newReplica);
});

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await desk.close();
});

beforeEach(async () => {
  pods += 1;
  pod = `checkout-${pods}`;
  sources = [relay];
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod, namespace: "payments", labels: { app: "checkout" } },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", podIP: `10.1.0.${pods}`, hostIP: "192.0.2.10" },
  });
  uid = stored(desk.sandbox, "Pod", pod)?.metadata.uid ?? "";
  operation = (await desk.type(`quarantine payments/${pod} --confirm ${pod}`)).operation ?? "";
  expect((await desk.press("confirm", operation)).headline).toMatch(/^ISOLATED FOR NEW CONNECTIONS/);
  desk.pass(60_000);
  await sweepAll();
});

afterEach(async () => {
  await desk.press("confirm", (await desk.type(`release ${operation}`)).operation);
  await sweepAll();
  expect(desk.events.filter(({ kind }) => kind === "error")).toEqual([]);
});

const relay: FlowSourceState = {
  name: "relay",
  cluster: "sandbox",
  kind: "hubble-relay",
  state: "connected",
  why: undefined,
  formats: ["hubble"],
  lastFlowMs: undefined,
};

function newReplica(): Observer {
  return replicaOf(desk.services, desk.outlet);
}

function replicaOf(of: TestDesk["services"], outlet: TestDesk["outlet"]): Observer {
  const flows = { sources: () => sources } as unknown as NonNullable<TestDesk["services"]["flows"]>;
  const services = { ...of, flows, observations: createObservations(desk.redis) };
  return createObserver({ services, outletFor: () => outlet, interests });
}

async function sweepAll(): Promise<void> {
  for (const replica of replicas) await replica.sweep();
}

async function card() {
  const found = await desk.services.operations.get(operation);
  return operationCard(found!, desk.services.now());
}

/** A new connection of the pod to the world, a moment ago. */
function sighting(verdict: FlowRecord["verdict"]["kind"], changes: Partial<FlowRecord> = {}): Sighting {
  const fromMs = desk.services.now() - 100;
  return sightingOf({ name: pod, uid, address: `10.1.0.${pods}` }, verdict, { fromMs, ...changes });
}

function messages(headline: RegExp): number {
  return desk.shown.filter(
    ({ reply, card: place }) =>
      place === undefined && headline.test(reply.headline) && reply.headline.includes(operation),
  ).length;
}

async function entries(): Promise<readonly (string | undefined)[]> {
  const all = await desk.services.audit.read({ operation });
  return all.filter(({ kind }) => kind === "observed").map(({ summary }) => summary);
}

describe("A quarantine", () => {
  test("asks sources for what its pod sends and gets, until it is released", async () => {
    expect(interests.of("sandbox")).toEqual([{ cluster: "sandbox", namespace: "payments", pod }]);
    await desk.press("confirm", (await desk.type(`release ${operation}`)).operation);
    await sweepAll();
    expect(interests.of("sandbox")).toEqual([]);
  });

  test("of which nothing was seen is not known to hold: silence is no proof", async () => {
    expect((await card()).headline).toMatch(/^ISOLATED FOR NEW CONNECTIONS/);
    expect(wordsIn(await card())).toContain("Observed: not known, no flow of it was seen yet. Silence is no proof.");
  });

  test("is not said to leak by what came late from a node whose clock is ahead", async () => {
    for (const replica of replicas) replica.saw({ ...sighting("forwarded"), aheadMs: 600_000 });
    await sweepAll();
    expect((await card()).headline).toMatch(/^ISOLATED FOR NEW CONNECTIONS/);
    expect(messages(/isolated/i)).toBe(0);
  });

  test("whose pod is denied says so, counted over all replicas", async () => {
    for (const replica of replicas) for (let each = 0; each < 4; each += 1) replica.saw(sighting("denied"));
    await sweepAll();
    await sweepAll();
    desk.pass(31_000);
    await sweepAll();
    expect((await card()).headline).toMatch(/^ISOLATED FOR NEW CONNECTIONS/);
    expect(wordsIn(await card())).toMatch(
      /Observed: 12 attempts were denied, last at .*, none was seen to get through/,
    );
    expect(await entries()).toEqual([expect.stringMatching(/^Observed: 4 attempts were denied/)]);
  });

  test("from which something gets through says so at once, with the evidence, told once by three replicas", async () => {
    for (const replica of replicas) replica.saw(sighting("forwarded"));
    await expect
      .poll(async () => (await card()).headline)
      .toMatch(/^NOT ISOLATED: payments\/checkout-\d+ → 203\.0\.113\.9 TCP 443 got through/);
    await sweepAll();
    await sweepAll();
    const shown = await card();
    expect(shown).toMatchObject({ tone: "bad", outcome: "not-isolated" });
    expect(wordsIn(shown)).toContain(`payments/${pod} → 203.0.113.9 TCP 443`);
    expect(messages(/^NOT ISOLATED: q-/)).toBe(1);
    expect(await entries()).toHaveLength(1);
    expect(wordsIn(await desk.type("status payments"))).toContain("in-force, by alice (U1): NOT ISOLATED");
  });

  test("is not held to be broken by what began before, by replies, or by its own node", async () => {
    const realised = desk.services.now() - 60_000;
    const own = { ...sighting("forwarded").record.to, address: "192.0.2.10", entity: undefined };
    const harmless: Partial<FlowRecord>[] = [
      { fromMs: realised - 30_000, toMs: desk.services.now() },
      { isReply: true },
      { isNew: false },
      { to: own },
    ];
    for (const changes of harmless) replicas[0]!.saw(sighting("forwarded", changes));
    await sweepAll();
    expect((await card()).headline).toMatch(/^ISOLATED FOR NEW CONNECTIONS/);
  });

  test("is UNKNOWN where it got through on what may be an older connection, and NOT ISOLATED once that is sure", async () => {
    replicas[0]!.saw(sighting("forwarded", { isNew: undefined, unit: "packets" }));
    await expect.poll(async () => (await card()).headline).toMatch(/^UNKNOWN: /);
    expect(messages(/^UNKNOWN whether isolated/)).toBe(1);
    replicas[1]!.saw(sighting("forwarded"));
    await expect.poll(async () => (await card()).headline).toMatch(/^NOT ISOLATED: /);
    await expect.poll(() => messages(/^NOT ISOLATED: q-/)).toBe(1);
  });

  test("is UNKNOWN, and not isolated again, once what got through is denied", async () => {
    replicas[0]!.saw(sighting("forwarded"));
    await expect.poll(async () => (await card()).headline).toMatch(/^NOT ISOLATED: /);
    desk.pass(120_000);
    replicas[1]!.saw(sighting("denied"));
    await sweepAll();
    expect((await card()).headline).toMatch(/^UNKNOWN: 1 connection got through until .*, and it was denied since/);
  });

  test("that is being released is not held to be broken by what its release opens", async () => {
    const release = await desk.type(`release ${operation}`);
    await desk.press("confirm", release.operation);
    replicas[0]!.saw(sighting("forwarded"));
    await sweepAll();
    expect((await desk.services.operations.get(operation))?.observed?.leak).toBeUndefined();
  });

  test("without a flow source is as it was", async () => {
    sources = [];
    const before = await desk.services.operations.get(operation);
    await sweepAll();
    expect(await desk.services.operations.get(operation)).toEqual(before);
  });

  test("what another replica stored and never told is told by the next one", async () => {
    const at = desk.services.now();
    const leak = { count: 1, atLeast: false, firstAt: at, lastAt: at, sure: true, evidence: ["x"], tellingAt: at };
    const found = await desk.services.operations.get(operation);
    await createObservations(desk.redis).add(operation, {
      id: "died",
      counters: [{ name: "leak:egress", count: 1, atLeast: false, firstAt: at, lastAt: at }],
      lines: [],
    });
    await desk.services.operations.replace({ ...found!, observed: { since: at, tells: "forwarded", at, leak } });
    await sweepAll();
    expect(messages(/^NOT ISOLATED: q-/)).toBe(0);
    desk.pass(11_000);
    await sweepAll();
    await sweepAll();
    expect(messages(/^NOT ISOLATED: q-/)).toBe(1);
  });

  test("keeps what was denied around it, before it too, within a bound", async () => {
    const other = newReplica();
    const early = desk.services.now() - 120_000;
    other.saw(sighting("denied", { fromMs: early, toMs: early, toPort: 22 }));
    await other.sweep();
    for (let port = 1; port <= 500; port += 1) other.saw(sighting("denied", { toPort: port }));
    await other.sweep();
    await other.sweep();
    const { lines, more } = await createObservations(desk.redis).read(operation);
    expect(lines).toHaveLength(200);
    expect(more).toBeGreaterThan(0);
    expect(lines.map(({ name }) => lineWords(lineOf(name)!, () => true))).toContain(
      `payments/${pod} → 203.0.113.9 TCP 22`,
    );
    await other.stop();
  });

  test("names no pod of a namespace that whoever asked for it may not see", async () => {
    const other = { namespace: "vault", name: "keys-0", uid: "other" };
    const seen = sighting("forwarded", {
      to: { ...sighting("forwarded").record.to, address: "10.1.9.9", entity: undefined },
    });
    replicas[0]!.saw({
      ...seen,
      toPod: other,
      to: { kind: "workload", namespace: "vault", of: "Pod", name: "keys-0" },
    });
    await expect.poll(async () => (await card()).headline).toMatch(/→ a pod of another namespace TCP 443 got through/);
    expect(wordsIn(await card())).not.toMatch(/vault|keys-0/);
    expect(JSON.stringify(await entries())).not.toMatch(/vault|keys-0/);
  });

  test("has what was seen around it in the audit once it is over, once, with names in the detail alone", async () => {
    for (const replica of replicas) replica.saw(sighting("denied", { toPort: 8_443 }));
    await sweepAll();
    await desk.press("confirm", (await desk.type(`release ${operation}`)).operation);
    await sweepAll();
    desk.pass(11_000);
    await sweepAll();
    const all = await desk.services.audit.read({ operation });
    const around = all.filter(({ id }) => id === `${operation}:observed:around`);
    expect(around).toEqual([
      expect.objectContaining({
        summary: expect.stringMatching(/^Flows seen 15 minutes before and after it: \d+ kept, \d+ of them denied$/),
      }),
    ]);
    const told = outcomeOf(around[0]!);
    expect(told).toMatch(/denied: payments\/checkout-\d+ → 203\.0\.113\.9 TCP 8443 \(egress\), 3 times/);
  });
});

describe("A replica that dies at any of its calls while it tells what got through", () => {
  const through = async (death: Death | undefined): Promise<readonly string[]> => {
    const replica = mortal(desk.services, desk.outlet, death);
    const dying = replicaOf(replica.services, replica.outlet);
    await dying.sweep();
    dying.saw(sighting("forwarded"));
    await Promise.race([dying.sweep(), replica.dead]);
    desk.pass(11_000);
    await sweepAll();
    await sweepAll();
    return replica.calls;
  };

  test.each([1, 2, 3, 4, 5, 6].flatMap((at) => [{ at, when: "before" } as const, { at, when: "after" } as const]))(
    "call $at, $when",
    async (death) => {
      const calls = await through(death);
      expect((await card()).headline).toMatch(/^NOT ISOLATED: payments/);
      const told = messages(/^NOT ISOLATED: q-/);
      // Whoever died after it was shown, and before that was stored, could not say so.
      const isShownUnstored = death.when === "after" && calls[death.at - 1] === "show";
      expect(told).toBeGreaterThanOrEqual(1);
      expect(told).toBeLessThanOrEqual(isShownUnstored || calls[death.at - 1] === "replace" ? 2 : 1);
      expect(await entries()).toHaveLength(1);
    },
  );
});
