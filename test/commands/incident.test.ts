import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import type { Services } from "../../src/commands/services.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { bob, startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

const stranger: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U7", displayName: "eve" };
const jane: Principal = { kind: "terminal", user: "jane", source: "client-certificate" };
const away = () => Promise.reject(new Error("Connection is closed."));

let desk: TestDesk;
let count = 0;

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } });
});

afterAll(() => desk.close());

beforeEach(() => desk.redis.flushdb());

function aPod(): string {
  const name = `checkout-${++count}`;
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "payments", labels: { app: "checkout" } },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  return name;
}

async function quarantined(words = ""): Promise<string> {
  const { operation = "" } = await desk.type(`quarantine payments/${aPod()} ${words}`);
  await desk.press("confirm", operation);
  return operation;
}

const policyOf = (operation: string) => stored(desk.sandbox, "NetworkPolicy", `bulkhead-${operation}`);
const incidentOf = async (operation = "") => (await desk.services.operations.get(operation))?.incident;
/** Without what the chain says of itself: it notices that its store was emptied before each test. */
const written = async () => (await desk.services.audit.read({})).filter(({ kind }) => kind !== "chain");
const withAway = (changes: Partial<Services>) => createDesk({ ...desk.services, ...changes });

describe("incident", () => {
  test("shows, binds and unbinds the channel that it is typed in, and no other", async () => {
    expect((await desk.type("incident")).headline).toBe("This channel is bound to no incident");
    expect((await desk.type("incident INC-482")).headline).toBe("This channel is now bound to incident INC-482");
    const shown = await desk.type("incident");
    expect(shown.headline).toBe("This channel is bound to incident INC-482");
    expect(wordsIn(shown)).toMatch(/Bound by alice \(U1\) at 20/);
    const elsewhere = await desk.desk.run({ ...desk.request("incident"), channel: "C2" }, desk.outlet);
    expect(elsewhere.headline).toBe("This channel is bound to no incident");
    expect(wordsIn(await desk.type("incident off"))).toMatch(/It was INC-482/);
    expect((await desk.type("incident")).headline).toBe("This channel is bound to no incident");
  });

  test("says what it replaces", async () => {
    await desk.type("incident INC-1");
    expect(wordsIn(await desk.type("incident INC-2"))).toMatch(/Before it was INC-1, bound by alice/);
  });

  test("puts every change into the audit before it is made, once, with who and when; looking is none", async () => {
    await desk.type("incident INC-1");
    await desk.type("incident INC-1");
    await desk.type("incident");
    await desk.type("incident INC-2");
    await desk.type("incident off");
    const entries = await written();
    expect(entries.map(({ kind, incident, actor, detail }) => ({ kind, incident, actor, detail }))).toMatchObject([
      { kind: "incident", incident: "INC-1", actor: { user: "U1" }, detail: { after: "INC-1" } },
      { kind: "incident", incident: "INC-2", detail: { before: "INC-1", after: "INC-2" } },
      { kind: "incident", incident: "INC-2", detail: { before: "INC-2" } },
    ]);
  });

  test("changes nothing where the change cannot be recorded, and says that it could not be read or changed", async () => {
    const unrecorded = withAway({ audit: { ...desk.services.audit, append: away } });
    expect(await unrecorded.run(desk.request("incident INC-1"), desk.outlet)).toMatchObject({ outcome: "failed" });
    expect((await desk.type("incident")).headline).toBe("This channel is bound to no incident");
    const unread = withAway({ incidents: { get: away, set: away } });
    expect(await unread.run(desk.request("incident"), desk.outlet)).toMatchObject({
      outcome: "failed",
      headline: "The channel's incident could not be read",
    });
  });

  test("is bound only by whoever may write somewhere; any right is enough to look, none is not", async () => {
    expect(await desk.type("incident INC-1", bob)).toMatchObject({ outcome: "refused" });
    expect(await desk.type("incident off", bob)).toMatchObject({ outcome: "refused" });
    expect(await desk.type("incident", bob)).toMatchObject({ outcome: "ok" });
    expect(await desk.type("incident", stranger)).toMatchObject({ outcome: "refused" });
    expect(await desk.type("incident INC-1", stranger)).toMatchObject({ outcome: "refused" });
    const kinds = (await written()).map(({ kind, verb }) => `${kind} ${verb}`);
    expect(kinds).toEqual(Array.from({ length: 4 }, () => "refusal incident"));
  });

  test("has no channel at a terminal, and says what to type there", async () => {
    const request = { ...desk.request("incident INC-1", jane), source: "terminal", channel: undefined } as const;
    const reply = await desk.desk.run(request, desk.outlet);
    expect(reply.outcome).toBe("usage");
    expect(wordsIn(reply)).toMatch(/--incident ID.*BULKHEAD_INCIDENT/);
  });
});

describe("an operation", () => {
  test("carries the channel's incident: on its card, in the audit, on the policy as label and annotation", async () => {
    await desk.type("incident INC-482");
    const plan = await desk.type(`quarantine payments/${aPod()} odd traffic`);
    expect(wordsIn(plan)).toContain('["Incident","INC-482"]');
    const done = await desk.press("confirm", plan.operation);
    expect(wordsIn(done)).toContain('["Incident","INC-482"]');
    expect(policyOf(plan.operation ?? "")?.metadata).toMatchObject({
      labels: { [marks.incident]: "INC-482" },
      annotations: { [marks.incident]: "INC-482" },
    });
    const entries = await desk.services.audit.read({ operation: plan.operation ?? "" });
    expect(entries.map(({ kind, incident }) => `${kind} ${incident}`)).toEqual(["intent INC-482", "outcome INC-482"]);
    expect(wordsIn(await desk.type("status"))).toMatch(/for INC-482: odd traffic/);
  });

  test("keeps the incident that it was planned with, whatever the channel is bound to when Confirm is pressed", async () => {
    await desk.type("incident INC-1");
    const plan = await desk.type(`quarantine payments/${aPod()}`);
    await desk.type("incident INC-2");
    expect(await desk.press("confirm", plan.operation)).toMatchObject({ outcome: "ok" });
    expect(await incidentOf(plan.operation)).toBe("INC-1");
  });

  test("carries the one that the command names before the channel's", async () => {
    await desk.type("incident INC-1");
    expect(await incidentOf(await quarantined("--incident INC-2 odd"))).toBe("INC-2");
  });

  test("without any has neither label nor annotation", async () => {
    const { labels, annotations } = policyOf(await quarantined())?.metadata ?? {};
    expect(labels).not.toHaveProperty(marks.incident);
    expect(annotations).not.toHaveProperty(marks.incident);
  });

  test("whose incident is no label value has the annotation alone, and is carried out", async () => {
    const id = `${"x".repeat(63)}-`;
    const operation = await quarantined(`--incident ${id}`);
    expect(policyOf(operation)?.metadata.annotations?.[marks.incident]).toBe(id);
    expect(policyOf(operation)?.metadata.labels).not.toHaveProperty(marks.incident);
  });

  test("that ends a quarantine carries that one's incident where no other is named or bound", async () => {
    const quarantine = await quarantined("--incident INC-7");
    expect(await incidentOf((await desk.type(`release ${quarantine}`)).operation)).toBe("INC-7");
    await desk.type("incident INC-8");
    expect(await incidentOf((await desk.type(`release ${quarantine}`)).operation)).toBe("INC-8");
    expect(await incidentOf((await desk.type(`release ${quarantine} --incident INC-9`)).operation)).toBe("INC-9");
  });

  test("goes on without the channel's incident where that cannot be read, and its card says so", async () => {
    await desk.type("incident INC-482");
    const blind = withAway({ incidents: { get: away, set: away } });
    const plan = await blind.run(desk.request(`quarantine payments/${aPod()}`), desk.outlet);
    expect(plan.outcome).toBe("needs-confirmation");
    expect(wordsIn(plan)).toMatch(/Incident.*could not be read/);
    const done = await desk.press("confirm", plan.operation);
    expect(done.outcome).toBe("ok");
    expect(wordsIn(done)).toMatch(/Incident.*could not be read/);
  });
});

test("a refusal carries the incident that it was asked for", async () => {
  await desk.type("quarantine payments/nosuchpod --incident INC-1");
  await desk.type("quarantine db/postgres-0 --incident INC-2");
  await desk.type("incident INC-3");
  await desk.type("quarantine payments/nosuchpod");
  const refusals = (await desk.services.audit.read({})).filter(({ kind }) => kind === "refusal");
  expect(refusals.map(({ incident }) => incident)).toEqual(["INC-1", "INC-2", "INC-3"]);
});

test("audit incident shows what belongs to that incident alone", async () => {
  await desk.type("incident INC-482");
  const mine = await quarantined();
  const other = await quarantined("--incident INC-9");
  const words = wordsIn(await desk.type("audit incident INC-482"));
  expect(words).toMatch(/3 entries/);
  expect(words).toContain(mine);
  expect(words).not.toContain(other);
});
