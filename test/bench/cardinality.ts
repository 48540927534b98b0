import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Counter, Registry } from "prom-client";
import { betweenWords } from "../../src/commands/flow-words.ts";
import type { FlowKey } from "../../src/flows/flow-key.ts";
import type { Place } from "../../src/flows/place.ts";
import type { Counted } from "../../src/flows/spike.ts";
import { createMetrics } from "../../src/metrics.ts";
import { anItem, nobody } from "../flows/flow.ts";
import { mediansTable } from "./figures.ts";

const keys = 100_000;
const scrapes = 5;

/** What a scrape costs after 100 000 distinct pairs were denied, beside a counter that has a label for each. */
export async function benchCardinality(): Promise<string> {
  const counted = Array.from({ length: keys }, (_, nth) => ({ key: keyOf(nth), count: 1 + (nth % 7), atLeast: false }));
  const rows = [
    { name: "Bulkhead, nothing denied", columns: await scraped(textOf([])) },
    { name: `Bulkhead, ${keys} keys, the first five named`, columns: await scraped(textOf(counted)) },
    { name: "a counter with a label for each pair", columns: await scraped(naive(counted)) },
  ];
  return mediansTable(`/metrics after ${keys} distinct denied keys, medians of ${scrapes} scrapes`, rows);
}

function textOf(counted: readonly Counted[]): () => Promise<string> {
  const metrics = createMetrics({ names: true });
  for (const { key } of counted) metrics.flows.brought("push", [itemOf(key)], true);
  metrics.spikes.judged("eu", 0, counted);
  return () => metrics.text();
}

function naive(counted: readonly Counted[]): () => Promise<string> {
  const registry = new Registry();
  const labelNames = ["cluster", "pair"];
  const counter = new Counter({ name: "denied_total", help: "Denied", labelNames, registers: [registry] });
  for (const { key, count } of counted) {
    counter.inc({ cluster: key.cluster, pair: betweenWords({ key, dnsQuery: undefined }, undefined) }, count);
  }
  return () => registry.metrics();
}

/** Over HTTP on loopback, as Prometheus does. */
async function scraped(text: () => Promise<string>) {
  const server = createServer((_, response) => void text().then((body) => response.end(body)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const [series, kib, times]: [number[], number[], number[]] = [[], [], []];
  for (let nth = 0; nth < scrapes; nth += 1) {
    const begun = performance.now();
    const body = await (await fetch(`http://127.0.0.1:${port}`)).text();
    times.push(performance.now() - begun);
    kib.push(Buffer.byteLength(body) / 1_024);
    series.push(body.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length);
  }
  server.close();
  return { series, KiB: kib, "scrape ms": times };
}

function keyOf(nth: number): FlowKey {
  const place = (namespace: string, name: string): Place => ({ kind: "workload", namespace, of: "Deployment", name });
  return {
    cluster: "eu",
    class: "denied",
    from: place(`team-${nth % 100}`, `web-${nth}`),
    to: place("data", `db-${nth % 25}`),
    protocol: "TCP",
    port: 5_432,
    direction: "egress",
    reason: "no-rule",
    policies: [],
  };
}

function itemOf({ from }: FlowKey) {
  const workload = { kind: "Deployment", name: from.kind === "workload" ? from.name : "" };
  return anItem({ from: { ...nobody, namespace: "shop", workload } });
}
