import { burst, measureAcknowledgement } from "./acknowledgement.ts";
import { benchBaseline } from "./baseline.ts";
import { benchCardinality } from "./cardinality.ts";
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
 * measured, or took longer than the limit. `--plot FILE` also draws the growth of the simulator, for README; `--only
 * picture,baseline` measures these parts alone.
 */
const limitMs = 600_000;

const limit = setTimeout(() => {
  process.stderr.write(`The bench did not end within ${limitMs / 1_000} s.\n`);
  process.exit(1);
}, limitMs);
limit.unref();

/** In this order. */
const parts: Readonly<Record<string, () => Promise<void>>> = {
  simulator: async () => tell(await benchSimulator(argument("--plot"))),
  scale: async () => tell(await scale()),
  acknowledgement,
  history: () => benchHistory(tell),
  flows: () => benchFlows(tell),
  timers: () => benchTimers(tell),
  picture: async () => tell(await benchPicture()),
  baseline: async () => tell(await benchBaseline()),
  cardinality: async () => tell(await benchCardinality()),
  isolation,
};

for (const [name, part] of asked()) {
  if (part === undefined) {
    process.stderr.write(`There is no part ${name}: ${Object.keys(parts).join(", ")}.\n`);
    process.exit(2);
  }
  await part();
}

function asked(): readonly (readonly [name: string, (typeof parts)[string] | undefined])[] {
  const only = argument("--only");
  return only === undefined ? Object.entries(parts) : only.split(",").map((name) => [name, parts[name]]);
}

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

async function scale(): Promise<string> {
  const { cache, bare } = await measureScale();
  const columns = (readings: readonly Reading[]) => ({
    "time ms": readings.map(({ ms }) => ms),
    "heap MiB": readings.map(({ heapMb }) => heapMb),
    "stall ms": readings.map(({ stallMs }) => stallMs),
  });
  return mediansTable(`Listing ${manyPods} pods of 7 kB, medians of ${cache.length} processes each, in turns`, [
    { name: "the cache: all kinds, trimmed", columns: columns(cache) },
    { name: "bare undici and JSON.parse: pods, as they come", columns: columns(bare) },
  ]);
}

async function acknowledgement(): Promise<void> {
  const { bursts, single, inBot } = await measureAcknowledgement();
  print(`Acknowledgement as Slack sees it, ${burst} commands at once, ${manyPods} pods in the cluster`, bursts);
  print("Acknowledgement as Slack sees it, one command at a time", single);
  tell(`  By the bot's own clock, from arrival: ${inBot.within} of ${inBot.all} within 100 ms.\n`);
}

async function isolation(): Promise<void> {
  const kubeconfig = process.env["KUBECONFIG"];
  if (!kubeconfig) return tell("Confirm to isolated and detection were not measured: KUBECONFIG names no cluster.");
  const { version, rows } = await measureIsolation(kubeconfig);
  print(
    `Confirm to isolated, Kubernetes ${version}; the settle wait (2 s where nothing else is configured) is excluded: set to 0; ${manyPods} more pods in the cluster`,
    rows,
  );
  print(
    "Which policy engines are enforced, with the APIs of all and Cilium's agent",
    await measureDetection(kubeconfig),
  );
}

function print(title: string, rows: readonly Row[]): void {
  tell(tableOf(title, rows));
}

function tell(table: string): void {
  process.stdout.write(`${table}\n`);
}
