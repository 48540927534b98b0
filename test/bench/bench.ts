import { burst, measureAcknowledgement } from "./acknowledgement.ts";
import { measureDetection } from "./detection.ts";
import { mediansTable, type Row, tableOf } from "./figures.ts";
import { benchFlows } from "./flows.ts";
import { benchHistory } from "./history.ts";
import { measureIsolation } from "./isolation.ts";
import { manyPods } from "./many-pods.ts";
import { benchPicture } from "./picture.ts";
import { measureScale } from "./scale.ts";
import type { Reading } from "./scale-reader.ts";
import { benchSimulator } from "./simulator.ts";
import { benchTimers } from "./timers.ts";

/**
 * `npm run bench`: figures of this machine, now. Slow is no failure: it ends with 1 only where something could not be
 * measured, or took longer than the limit. `--plot FILE` also draws the growth of the simulator, for README.
 */
const limitMs = 600_000;

const limit = setTimeout(() => {
  process.stderr.write(`The bench did not end within ${limitMs / 1_000} s.\n`);
  process.exit(1);
}, limitMs);
limit.unref();

const plotAt = process.argv.indexOf("--plot");
process.stdout.write(`${await benchSimulator(plotAt < 0 ? undefined : process.argv[plotAt + 1])}\n`);

const { cache, bare } = await measureScale();
const columns = (readings: readonly Reading[]) => ({
  "time ms": readings.map(({ ms }) => ms),
  "heap MiB": readings.map(({ heapMb }) => heapMb),
  "stall ms": readings.map(({ stallMs }) => stallMs),
});
const scale = mediansTable(`Listing ${manyPods} pods of 7 kB, medians of ${cache.length} processes each, in turns`, [
  { name: "the cache: all kinds, trimmed", columns: columns(cache) },
  { name: "bare undici and JSON.parse: pods, as they come", columns: columns(bare) },
]);
process.stdout.write(`${scale}\n`);

const acknowledgement = await measureAcknowledgement();
print(
  `Acknowledgement as Slack sees it, ${burst} commands at once, ${manyPods} pods in the cluster`,
  acknowledgement.bursts,
);
print("Acknowledgement as Slack sees it, one command at a time", acknowledgement.single);
const { all, within } = acknowledgement.inBot;
process.stdout.write(`  By the bot's own clock, from arrival: ${within} of ${all} within 100 ms.\n\n`);

await benchHistory((table) => void process.stdout.write(`${table}\n`));
await benchFlows((table) => void process.stdout.write(`${table}\n`));
await benchTimers((table) => void process.stdout.write(`${table}\n`));
process.stdout.write(`${await benchPicture()}\n`);

const kubeconfig = process.env["KUBECONFIG"];
if (kubeconfig) {
  const { version, rows } = await measureIsolation(kubeconfig);
  print(
    `Confirm to isolated, Kubernetes ${version}; the settle wait (2 s where nothing else is configured) is excluded: set to 0; ${manyPods} more pods in the cluster`,
    rows,
  );
  print(
    "Which policy engines are enforced, with the APIs of all and Cilium's agent",
    await measureDetection(kubeconfig),
  );
} else {
  process.stdout.write("Confirm to isolated and detection were not measured: KUBECONFIG names no cluster.\n");
}

function print(title: string, rows: readonly Row[]): void {
  process.stdout.write(`${tableOf(title, rows)}\n`);
}
