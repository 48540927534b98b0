import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Principal } from "../../src/policy/principal.ts";
import { renderReply } from "../../src/slack/render.ts";
import { loadTemplates, shippedTemplates } from "../../src/templates.ts";
import { bob, wordsIn } from "./desk.ts";
import { checkout, flow, frontend, linesIn, postgres, rowIn, startFlowDesk, workload } from "./flow-world.ts";

const { templates } = loadTemplates(shippedTemplates);
const carol: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U3", displayName: "carol" };

const jane: Principal = { kind: "terminal", user: "jane", source: "configured" };

let desk: Awaited<ReturnType<typeof startFlowDesk>>;

beforeAll(async () => {
  desk = await startFlowDesk({ services: { templates: { all: () => templates, problems: () => [] } } });
});
beforeEach(async () => {
  await desk.redis.flushdb();
  desk.told.reset();
});
afterAll(() => desk.close());

test("Explain says why for both ends and the port", async () => {
  desk.told.saw(flow(checkout, postgres));
  const row = rowIn(await desk.type("flows payments"), "postgres");
  expect(row.actions).toEqual(["flow-explain", "flow-allow", "flow-mute"]);
  const reply = await desk.press("flow-explain", row.subject);
  expect(reply.headline).toBe("No: payments/checkout cannot connect to db/postgres on TCP 5432.");
});

test("Allow opens the plan of the narrowest template, for 30 minutes, as if it had been typed", async () => {
  desk.told.saw(flow(checkout, postgres));
  desk.told.saw(flow(checkout, { kind: "range", cidr: "198.51.100.0/24" }, { port: 443 }));
  const listed = await desk.type("flows payments");
  const { subject, labels } = rowIn(listed, "postgres");
  expect(labels).toContain("Allow 30 min");
  const plan = await desk.press("flow-allow", subject);
  expect(plan.outcome).toBe("needs-confirmation");
  expect(plan.headline).toContain("between-workloads");
  expect(wordsIn(plan)).toContain("payments/checkout (Deployment) → db/postgres (StatefulSet) on TCP 5432");
  const operation = await desk.services.operations.get(plan.operation ?? "");
  expect(operation?.origin.command).toBe(
    `allow between-workloads from=payments/deployment/checkout to=db/statefulset/postgres port=5432 protocol=TCP cluster=sandbox for 30m denied flow ${subject}`,
  );
  expect(operation?.allowance?.ttlSeconds).toBe(1_800);
  const outward = await desk.press("flow-allow", rowIn(listed, "198.51.100.0").subject);
  expect(outward.headline).toContain("egress-to-cidr");
});

test("Where no template fits nothing is offered, and what would be needed is said", async () => {
  desk.told.saw(flow(checkout, { kind: "range", cidr: "198.51.100.0/24" }, { port: 9_999 }));
  const reply = await desk.type("flows payments");
  expect(rowIn(reply, "198.51.100.0").actions).toEqual(["flow-explain", "flow-mute"]);
  expect(linesIn(reply)).toContain(
    "- checkout → 198.51.100.0/24:9999: one from checkout.payments to 198.51.100.0/24 on TCP 9999 would be needed",
  );
  const refused = await desk.press("flow-allow", rowIn(reply, "198.51.100.0").subject);
  expect(refused.outcome).toBe("refused");
  expect(wordsIn(refused)).toContain("No template opens checkout.payments → 198.51.100.0/24:9999");
});

test("A muted line is listed to nobody, counts in every total, and is listed again when that is over", async () => {
  desk.told.saw(flow(checkout, postgres), { count: 40 });
  desk.told.saw(flow(checkout, postgres, { port: 80 }), { count: 2 });
  const { subject } = rowIn(await desk.type("flows payments"), "postgres.db:5432");
  const muted = await desk.press("flow-mute", subject);
  expect(muted.headline).toBe("Muted for 8h");
  expect(rowIn(muted, "postgres").text).toBe("checkout.payments → postgres.db:5432: muted by alice (U1), for 8h more");
  const after = await desk.type("flows payments", jane);
  expect(linesIn(after)[0]).toBe("Denied in all: 42 connections, of 2 kinds, all new.");
  expect(linesIn(after).join()).not.toContain("postgres.db:5432");
  expect(linesIn(after)).toContain("1 is muted: /np flows muted");
  const listed = await desk.type("flows muted");
  const mute = rowIn(listed, "postgres.db:5432");
  expect(mute.actions).toEqual(["flow-unmute"]);
  expect((await desk.press("flow-unmute", mute.subject)).headline).toBe("Not muted any more");
  expect(rowIn(await desk.type("flows payments"), "postgres.db:5432").subject).toBe(subject);
  const entries = wordsIn(await desk.type("audit"));
  expect(entries).toContain("checkout.payments → postgres.db:5432 is muted for 8h");
  expect(entries).toContain("checkout.payments → postgres.db:5432 is not muted any more");
});

test("Ten lines with all their buttons, and the changes below them, fit into one message", async () => {
  for (let port = 80; port < 95; port += 1) {
    desk.told.saw(flow(workload("payments", "ledger"), postgres, { port: port + 1 }), {
      count: 1_000_000 + port,
    });
  }
  const { history } = desk.services;
  const spec = { podSelector: {}, policyTypes: ["Egress"] };
  for (const name of ["a", "b", "c", "d"]) {
    const metadata = { name: `${name}-policy-of-somebody`, namespace: "payments", uid: name, resourceVersion: "9" };
    const object = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
    const at = desk.services.now();
    await history?.saw([{ kind: "there", cluster: "sandbox", object, previous: undefined, continuous: true, at }]);
  }
  const reply = await desk.type("flows");
  const { blocks } = renderReply(reply, "/np");
  const texts = blocks.map((block) => JSON.stringify(block));
  expect(texts.filter((block) => block.includes("np:flow-allow")).length).toBe(10);
  expect(texts.filter((block) => block.includes("np:roll-back")).length).toBe(3);
  expect(texts.filter((block) => block.includes("(they select it) allows it")).length).toBe(10);
});

test("A mute ends by itself, and its time may be chosen", async () => {
  desk.told.saw(flow(checkout, postgres));
  const { subject } = rowIn(await desk.type("flows payments"), "postgres");
  expect((await desk.type(`flows mute ${subject} for 30m`)).headline).toBe("Muted for 30m");
  expect((await desk.type("flows muted")).headline).toBe("1 line is muted");
  desk.pass(31 * 60_000);
  expect((await desk.type("flows muted")).headline).toBe("Nothing is muted that you may see");
});

test("What lies where one may not look is not told of, and a peer there has no name", async () => {
  desk.told.saw(flow(frontend, workload("shop", "cart")), { count: 500 });
  desk.told.saw(flow(frontend, checkout, { direction: "ingress", port: 9999 }), { count: 3 });
  desk.told.saw(flow(workload("shop", "cart"), checkout, { direction: "ingress", port: 9999 }), {
    count: 2,
    dnsQuery: "secret",
  });
  desk.told.saw(flow({ kind: "node" }, { kind: "range", cidr: "198.51.100.0/24" }), { count: 9 });
  desk.told.saw(flow(checkout, postgres, { direction: "ingress" }), { count: 1 });
  const policies = [{ kind: "CiliumNetworkPolicy", namespace: "db", name: "deny-payments" }];
  desk.told.saw(flow(checkout, postgres, { direction: "ingress", reason: "rule", policies }), { count: 2 });
  const reply = await desk.type("flows", bob);
  expect(linesIn(reply).slice(0, 4)).toEqual([
    "Denied in all: 8 connections, of 3 kinds, all new.",
    "new: another namespace → checkout.payments:9999  5 denied connections, since HH:MM, ingress, no rule of payments/allow-checkout, allow-metrics or default-deny (they select it) allows it",
    expect.stringMatching(
      /another namespace:5432 {2}2 denied connections, .* by rule of a policy of another namespace$/,
    ),
    expect.stringMatching(/^new: checkout\.payments → another namespace:5432 {2}1 denied connection, /),
  ]);
  for (const hidden of ["shop", "cart", "frontend", "postgres", "secret", "deny-payments", "198.51"]) {
    expect(wordsIn(reply)).not.toContain(hidden);
  }
  expect(reply.sections.some(({ kind }) => kind === "row")).toBe(false);
  expect((await desk.type("flows shop", bob)).outcome).toBe("refused");
});

test("A button does nothing for who may not look at both ends, or not act", async () => {
  desk.told.saw(flow(checkout, postgres));
  const within = flow(checkout, workload("payments", "ledger"));
  desk.told.saw(within);
  const listed = await desk.type("flows payments");
  const [across, inside] = [rowIn(listed, "postgres").subject, rowIn(listed, "ledger").subject];
  for (const action of ["flow-explain", "flow-allow", "flow-mute"]) {
    expect((await desk.press(action, across, { principal: bob })).outcome).toBe("refused");
    expect((await desk.press(action, inside, { principal: carol })).outcome).toBe("refused");
  }
  desk.told.saw(flow(frontend, checkout, { direction: "ingress", port: 9999 }));
  const inward = rowIn(await desk.type("flows payments"), "9999").subject;
  for (const action of ["flow-explain", "flow-allow", "flow-mute"]) {
    const no = await desk.press(action, inward, { principal: bob });
    expect(no.outcome).toBe("refused");
    expect(wordsIn(no)).not.toContain("shop");
  }
  expect((await desk.press("flow-explain", inside, { principal: bob })).outcome).toBe("ok");
  expect((await desk.press("flow-allow", inside, { principal: bob })).outcome).toBe("refused");
  expect((await desk.press("flow-explain", "f-0000000000")).outcome).toBe("refused");
  expect((await desk.press("flow-explain", "../../x")).outcome).toBe("refused");
});

test("What a quarantine of ours denies is named as such, and nobody is offered to open it", async () => {
  const [pod] = desk.sandbox.objects("Pod", "payments").filter(({ metadata }) => metadata.name.startsWith("checkout-"));
  const plan = await desk.type(`quarantine payments/${pod?.metadata.name ?? ""} --no-detach`);
  const done = await desk.press("confirm", plan.operation);
  const name = pod?.metadata.name ?? "";
  desk.told.saw(flow(workload("payments", name, "Pod"), postgres), { count: 6 });
  const reply = await desk.type(`flows ${done.operation}`);
  expect(reply.headline).toBe(`What is denied in ${done.operation} (payments/${name}) in the last 1m`);
  const row = rowIn(reply, "postgres");
  expect(row.text).toContain(`by quarantine ${done.operation}, which is Bulkhead's own`);
  expect(row.actions).toEqual(["flow-explain", "flow-mute"]);
});

test("A quarantine of a namespace where one may not look is no more than a policy of another namespace", async () => {
  const [pod] = desk.sandbox.objects("Pod", "shop").filter(({ metadata }) => metadata.name.startsWith("frontend-"));
  const name = pod?.metadata.name ?? "";
  const done = await desk.press("confirm", (await desk.type(`quarantine shop/${name} --no-detach`)).operation);
  desk.told.saw(flow(checkout, workload("shop", name, "Pod"), { direction: "ingress" }));
  expect(rowIn(await desk.type("flows payments"), name).text).toContain(`by quarantine ${done.operation}`);
  const told = wordsIn(await desk.type("flows payments", bob));
  expect(told).toContain("checkout → another namespace:5432");
  expect(told).toContain("by a policy of another namespace");
  expect(told).not.toContain(done.operation);
});
