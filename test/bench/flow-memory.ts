import { createMemoryLedger } from "../../src/flows/memory-ledger.ts";
import { createPodAddresses } from "../../src/flows/pod-addresses.ts";
import { createSettled } from "../../src/flows/settled.ts";
import { createSink } from "../../src/flows/sink.ts";
import { anItem, nobody } from "../flows/flow.ts";

/** So many distinct keys come within a minute, with --expose-gc: prints MiB of heap that counting them holds before it is written. */
const keys = Number(process.argv[2]);
const nowMs = Date.now();
const collect = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1_048_576;
};

const sink = createSink({
  ledger: createMemoryLedger(),
  replica: "bench",
  addresses: createPodAddresses(),
  settled: createSettled(),
  now: () => nowMs,
  writeEveryMs: 3_600_000,
});
const before = collect();
for (let nth = 0; nth < keys; nth += 1) {
  const workload = { kind: "Deployment", name: `web-${nth}` };
  sink.take("eu", [anItem({ from: { ...nobody, namespace: "shop", workload }, fromMs: nowMs, toMs: nowMs })]);
}
process.stdout.write(`${JSON.stringify({ mib: collect() - before })}\n`);
process.exit(0);
