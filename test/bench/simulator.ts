import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { figuresOf } from "./figures.ts";
import { plotOf } from "./plot.ts";
import type { SimulatorReading } from "./simulator-run.ts";

const sizes = [100, 1_000, 10_000] as const;
const rounds = 3;

type Job = keyof SimulatorReading;

const jobs: readonly { readonly job: Job; readonly name: string; readonly baseline: string }[] = [
  { job: "compile", name: "compile", baseline: "JSON.parse of the same snapshot" },
  { job: "reach", name: "all that one pod reaches and is reached by", baseline: "pod by pod, one port" },
  { job: "delta", name: "what a quarantine changes", baseline: "compiled anew" },
  { job: "leaks", name: "what a quarantine leaves open", baseline: "pod by pod, one port" },
  { job: "plan", name: "a quarantine's plan with its impact", baseline: "compile alone" },
  { job: "connectivity", name: "all connections between workloads", baseline: "pair by pair, one port" },
  { job: "heapMib", name: "heap of the compiled cluster, MiB", baseline: "the snapshot itself" },
];

/** Medians of a few processes for each size, first runs and not warmed up, as a command meets them. Also draws them, where a file is named. */
export async function benchSimulator(plotFile: string | undefined): Promise<string> {
  const medians: (readonly (readonly [number, number])[])[] = [];
  for (const size of sizes) {
    const readings: SimulatorReading[] = [];
    for (let round = 0; round < rounds; round += 1) readings.push(await read(size, "alike"));
    medians.push(jobs.map(({ job }) => medianOf(readings, job)));
  }
  const distinct = await read(10_000, "distinct");
  if (plotFile !== undefined) {
    const series = jobs
      .filter(({ job }) => job !== "heapMib")
      .map(({ name }, i) => ({ name, values: medians.map((row) => row[i]?.[0] ?? 0) }));
    await writeFile(plotFile, plotOf({ title: "Simulator: milliseconds by pods", xs: sizes, series }));
  }
  return [
    `Simulator, a fifth as many policies as pods; medians of ${rounds} processes, the first call in each. Pod by pod and pair by pair are reckoned from 20000 questions`,
    ...jobs.map(({ name, baseline }, i) =>
      linesOf(
        name,
        baseline,
        medians.map((row) => row[i] ?? [0, 0]),
      ),
    ),
    `  10000 pods of which a policy tells each apart: compile ${distinct.compile[0].toFixed(0)} ms, reach ${distinct.reach[0].toFixed(0)} ms, delta ${distinct.delta[0].toFixed(0)} ms, leaks ${distinct.leaks[0].toFixed(0)} ms, plan ${distinct.plan[0].toFixed(0)} ms, heap ${distinct.heapMib[0].toFixed(0)} MiB`,
    "",
  ].join("\n");
}

async function read(pods: number, kind: "alike" | "distinct"): Promise<SimulatorReading> {
  const file = fileURLToPath(new URL("simulator-run.ts", import.meta.url));
  const args = ["--expose-gc", file, String(pods), kind];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(await text(child.stdout)) as SimulatorReading;
}

function medianOf(readings: readonly SimulatorReading[], job: Job): readonly [number, number] {
  const median = (index: 0 | 1) => figuresOf(readings.map((reading) => reading[job][index])).p50;
  return [median(0), median(1)];
}

function linesOf(name: string, baseline: string, bySize: readonly (readonly [number, number])[]): string {
  const cells = bySize.flatMap(([value, base]) => [value.toFixed(1), base.toFixed(1), (value / base).toFixed(3)]);
  return `  ${name.padEnd(44)}${cells.map((cell) => cell.padStart(11)).join("")}   (${baseline})`;
}
