import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createObserver, type Observer } from "../../src/commands/observe.ts";
import { feedFlows } from "../../src/flow-feed.ts";
import { createFlowReceiver } from "../../src/flow-receiver.ts";
import { createInterests } from "../../src/flows/interests.ts";
import { createMemoryLedger } from "../../src/flows/memory-ledger.ts";
import { createPodAddresses } from "../../src/flows/pod-addresses.ts";
import { createSettled } from "../../src/flows/settled.ts";
import { createSink } from "../../src/flows/sink.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { postTo, startTraffic, type Traffic } from "../../src/sandbox/traffic.ts";
import { createObservations } from "../../src/scheduler/observations.ts";
import { startDesk, type TestDesk, wordsIn } from "../commands/desk.ts";
import { waitFor } from "../wait.ts";

let desk: TestDesk;
let observer: Observer;
let traffic: Traffic;
let server: Server;
let end: () => Promise<void>;
const ledger = createMemoryLedger();
const token = "a-token-of-the-sandbox";

beforeAll(async () => {
  desk = await startDesk({ watch: true, cluster: { objects: seedObjects() } });
  const { clusters } = desk.services;
  const now = () => desk.services.now();
  const [addresses, settled] = [createPodAddresses(), createSettled()];
  const entry = clusters.get("sandbox")!;
  const endFeed = feedFlows(entry.cluster, { addresses, settled, now });
  const onSighting = (sighting: Parameters<Observer["saw"]>[0]): void => observer.saw(sighting);
  const sink = createSink({ ledger, replica: "test", addresses, settled, now, onSighting });
  const onProblem = (error: Error): void =>
    void desk.events.push({ kind: "error", where: "flows", message: String(error) });
  const receiver = createFlowReceiver({ tokens: new Map([["sandbox", token]]), sink, now, onProblem });
  const flows = { sources: () => receiver.states() } as unknown as NonNullable<TestDesk["services"]["flows"]>;
  const services = { ...desk.services, flows, observations: createObservations(desk.redis) };
  observer = createObserver({ services, outletFor: () => desk.outlet, interests: createInterests() });
  server = createServer(
    (request, response) => void (receiver.answer(request, response) || response.writeHead(404).end()),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/flows/sandbox`;
  traffic = startTraffic({ cluster: desk.sandbox, post: postTo(url, token), now, everyMs: 0 });
  await waitFor(() => entry.cluster.watches().every(({ synced }) => synced));
  end = async () => {
    endFeed();
    await sink.stop();
  };
});

afterAll(async () => {
  await traffic.stop();
  await observer.stop();
  await end();
  server.close();
  server.closeAllConnections();
  await desk.close();
});

/** Some turns, half a second apart by the clock. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    desk.pass(500);
    expect(await traffic.turn()).toBeGreaterThan(20);
  }
  await observer.sweep();
}

async function headline(id: string): Promise<string> {
  return wordsIn(await desk.type(`status shop`)).split(id)[2] ?? "";
}

test("A pod in quarantine: what it tries is denied and the card says so; a node that stops enforcing shows on the card at once, and healing does not make it well", async () => {
  await turns(4);
  const pod = desk.sandbox.objects("Pod", "shop").find(({ metadata }) => metadata.name.startsWith("frontend-"))!;
  const plan = await desk.type(`quarantine shop/${pod.metadata.name} talks to an address nobody knows`);
  const id = plan.operation ?? "";
  expect((await desk.press("confirm", id)).headline).toMatch(/^ISOLATED FOR NEW CONNECTIONS/);
  await observer.sweep();
  desk.pass(10_000);
  await turns(4);
  const observed = async () => (await desk.services.operations.get(id))?.observed;
  expect((await observed())?.denied?.count).toBeGreaterThan(0);
  expect((await observed())?.leak).toBeUndefined();
  expect(await headline(id)).toContain("ISOLATED FOR NEW CONNECTIONS");
  expect(wordsIn(desk.shown.findLast(({ reply }) => reply.operation === id)!.reply)).toMatch(
    /Observed: \d+ attempts were denied.*none was seen to get through/,
  );

  traffic.breakEnforcement((pod as { spec?: { nodeName?: string } }).spec?.nodeName);
  await turns(3);
  await expect.poll(async () => (await observed())?.leak?.sure).toBe(true);
  expect(await headline(id)).toMatch(/NOT ISOLATED: shop\/frontend-\S+ → \S+ (TCP|UDP) \d+ got through/);
  const message = desk.shown.filter(({ reply }) => reply.headline.startsWith(`NOT ISOLATED: ${id}`));
  expect(message).toHaveLength(1);

  traffic.healEnforcement();
  desk.pass(90_000);
  await turns(3);
  desk.pass(31_000);
  await turns(1);
  expect(await headline(id)).toMatch(
    /UNKNOWN: (at least )?\d+ connections got through until .*, and it was denied since/,
  );
  expect(desk.events.filter(({ kind }) => kind === "error")).toEqual([]);
});

test("Without the quarantine only what policies deny is denied, and the same seed does the same", async () => {
  const bodies: string[][] = [[], []];
  for (const lines of bodies) {
    const post = (body: string) => Promise.resolve(lines.push(...body.split("\n")) > 0);
    const one = startTraffic({ cluster: desk.sandbox, post, now: () => 1_000, everyMs: 0 });
    await one.turn();
    await one.turn();
    await one.stop();
  }
  expect(bodies[0]).toEqual(bodies[1]);
  const flows = bodies[0]!.map((line) => JSON.parse(line).flow);
  const denied = flows
    .filter(({ verdict }) => verdict === "DROPPED")
    .map(
      (flow) => `${flow.source.pod_name} ${flow.destination.pod_name ?? flow.IP.destination} ${flow.traffic_direction}`,
    );
  expect(denied.some((one) => /^prometheus-\S+ checkout-\S+ INGRESS/.test(one))).toBe(false);
  expect(flows.some(({ verdict, is_reply: isReply }) => verdict === "FORWARDED" && isReply === true)).toBe(true);
});
