import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { askAllowances, momentsOf } from "../../src/commands/ask-allowances.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { parseAllowanceName } from "../../src/policy/allowance.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { readTemplate } from "../../src/template-file.ts";
import { anOperation } from "../scheduler/operation.ts";
import { waitFor } from "../wait.ts";
import { bob, startDesk, type TestDesk, wordsIn } from "./desk.ts";

const read = readTemplate(
  "egress.yaml",
  `version: 1
name: egress
title: Open egress
when: When it is needed.
owner: platform
procedure: egress.md
ttl: { default: 30m, max: 2h, total: 140m }
where: { namespaces: ["*"], clusters: ["*"] }
approvals: { count: 0 }
parameters:
  workload: { type: workload, about: whose pods may connect }
  cidr: { type: cidr, widest: { ipv4: 24 }, about: where to }
opens:
  - { from: { workload: $workload }, to: { cidr: $cidr }, ports: [{ port: 443, protocol: TCP }] }`,
);
if ("problems" in read) throw new Error(JSON.stringify(read.problems));
const { template } = read;

const carol: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U3", displayName: "carol" };

let desk: TestDesk;
/** The API server's clock, moved by this. */
let passedMs = 0;

beforeAll(async () => {
  desk = await startDesk({
    services: { templates: { all: () => [template], problems: () => [] } },
    cluster: { objects: seedObjects() },
    settings: {
      access: {
        rules: [
          { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["payments"] },
          { principals: ["slack:T1/U2"], verbs: ["status"], namespaces: ["payments"] },
        ],
        people: [],
      },
    },
  });
  const { clusters } = desk.services;
  const { cluster, enforcement } = clusters.get("sandbox")!;
  const serverTime = () => ({ earliestMs: Date.now() + passedMs, latestMs: Date.now() + passedMs });
  (clusters as Map<string, unknown>).set("sandbox", { cluster: { ...cluster, serverTime }, enforcement });
});
afterAll(() => desk.close());

let opened = 0;

async function open(time: string): Promise<string> {
  passedMs = 0;
  desk.followed.length = 0;
  const cidr = `198.51.${(opened += 1)}.0/24`;
  const planned = await desk.type(`allow egress workload=payments/deploy/checkout cidr=${cidr} for ${time} it moved`);
  const { headline } = await desk.press("confirm", planned.operation);
  expect(headline).toMatch(/^OPEN until /);
  return planned.operation ?? "";
}

const stored = async (id: string) => (await desk.services.operations.get(id))!;
const actions = ({ buttons }: Reply) => buttons.map(({ action }) => action);
const sweep = () => askAllowances(desk.services, () => desk.outlet);
const ours = (id: string) =>
  desk.sandbox.objects("NetworkPolicy").filter(({ metadata }) => parseAllowanceName(metadata.name)?.operation === id);
const cardOf = async (id: string) => (await desk.press("show", id)) as Reply;

test("Extend adds the template's own time, and never goes beyond its most", async () => {
  const id = await open("2h");
  expect(actions(await cardOf(id))).toEqual(["extend", "end", "permanent"]);
  expect((await desk.press("extend", id)).headline).toMatch(/^Extended until /);
  expect((await stored(id)).allowance?.ttlSeconds).toBe(8_400);
  expect(actions(await cardOf(id)), "its most is reached").toEqual(["end", "permanent"]);
  expect(wordsIn(await desk.press("extend", id))).toContain("and has that already");
  expect((await stored(id)).allowance?.ttlSeconds).toBe(8_400);
});

test("End now closes it, and the thread says that it was read back", async () => {
  const id = await open("30m");
  const ended = await desk.press("end", id);
  expect(ended.headline).toMatch(/^CLOSED: egress in payments, ended by /);
  expect([ours(id), actions(ended)]).toEqual([[], []]);
  const [said, ...more] = desk.followed;
  expect(more).toEqual([]);
  expect(said?.reply.headline).toMatch(/^Closed, verified: ended \d+ ms before its end$/);
  expect(wordsIn(said!.reply)).toContain("its NetworkPolicy is not in the cluster any more");
  expect(said?.card).toEqual((await stored(id)).card);
  expect((await desk.press("extend", id)).headline).toMatch(/^CLOSED/);
});

test("Make permanent gives manifests that are nobody's, and a text; it changes nothing", async () => {
  const id = await open("30m");
  const before = await stored(id);
  const reply = await desk.press("permanent", id);
  expect([reply.shape, reply.outcome]).toEqual(["note", "ok"]);
  const [manifests = "", request = ""] = reply.sections.flatMap((one) => (one.kind === "code" ? [one.text] : []));
  const [object] = ours(id) as unknown as { readonly spec: unknown }[];
  expect(parseAllDocuments(manifests).map((one) => one.toJS() as unknown)).toEqual([
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "allow-egress-1", namespace: "payments" },
      spec: object?.spec,
    },
  ]);
  for (const told of ["it moved", "alice", `version ${template.version}, of platform`, `Operation: ${id}`, "ends 20"]) {
    expect(request).toContain(told);
  }
  expect([await stored(id), ours(id).length]).toEqual([before, 1]);
});

test("All of that needs the right to allow, and an allowance", async () => {
  const id = await open("30m");
  const quarantine = { ...anOperation("not an allowance"), state: "in-force" } as const;
  const target = { ...quarantine.target, cluster: "sandbox", namespace: "payments" };
  await desk.services.operations.accept({ ...quarantine, target });
  for (const action of ["extend", "end", "permanent"]) {
    expect((await desk.press(action, id, { principal: bob })).outcome).toBe("refused");
    expect((await desk.press(action, id, { principal: carol })).headline).toContain("does nothing for you");
    expect((await desk.press(action, quarantine.id)).headline).toContain("does nothing for you");
  }
  expect(ours(id)).toHaveLength(1);
  expect((await stored(id)).allowance?.ttlSeconds).toBe(1_800);
});

test("Ten and two minutes before its end one replica asks, on the card and below it; an extension begins anew", async () => {
  const id = await open("30m");
  const mine = () => desk.followed.filter(({ reply }) => reply.operation === id).map(({ reply }) => reply);
  passedMs = 19 * 60_000;
  await sweep();
  expect(mine()).toEqual([]);
  passedMs = 20.75 * 60_000;
  await Promise.all([sweep(), sweep(), sweep()]);
  const [first] = mine();
  expect(mine()).toHaveLength(1);
  expect(first?.headline).toMatch(/^Ends in 9m 1\ds at \d\d:\d\d:\d\d UTC\. Is it still used\?$/);
  expect(wordsIn(first!)).toContain("Bulkhead has no flow source there");
  expect(actions(first!)).toEqual(["extend", "end", "permanent"]);
  expect(wordsIn(await cardOf(id))).toContain("Is it still used?");
  await sweep();
  expect(mine()).toHaveLength(1);
  passedMs = 28.75 * 60_000;
  await sweep();
  expect(mine().map(({ headline }) => headline.slice(0, 12))).toEqual(["Ends in 9m 1", "Ends in 1m 1"]);
  await desk.press("extend", id);
  expect((await stored(id)).allowance?.asked).toBeUndefined();
  expect(wordsIn(await cardOf(id))).not.toContain("Is it still used?");
  await sweep();
  expect(mine()).toHaveLength(2);
  passedMs = 51 * 60_000;
  await sweep();
  expect(mine()).toHaveLength(3);
});

test("A question that nobody saw is asked again, and one that cannot be asked holds up no other", async () => {
  const [deaf, other] = [await open("30m"), await open("30m")];
  passedMs = 21 * 60_000;
  const silent = {
    show: () => Promise.resolve({ card: undefined, reached: false }),
    follow: () => Promise.reject(new Error("no such thread")),
  };
  const asked = () => askAllowances(desk.services, ({ id }) => (id === deaf ? silent : desk.outlet));
  await asked();
  await waitFor(async () => (await stored(other)).allowance?.asked === 1);
  expect((await stored(deaf)).allowance?.asked).toBeUndefined();
  await sweep();
  expect((await stored(deaf)).allowance?.asked).toBe(1);
});

test.each([
  [7_200, [600, 120]],
  [1_800, [600, 120]],
  [1_200, [600, 120]],
  [600, [300, 60]],
  [20, [10, 7]],
  [9, [7]],
  [7, []],
])("What holds for %d s is asked about %j s before its end", (ttlSeconds, moments) => {
  expect(momentsOf({ ttlSeconds })).toEqual(moments.map((seconds) => seconds * 1_000));
});
