import type { BaselineReading } from "./baseline-reader.ts";
import { mediansTable } from "./figures.ts";
import { startProcess } from "./line-process.ts";

const rounds = 3;

/** What knowing what is usual costs for each kept key, beside a Map of averages. */
export async function benchBaseline(): Promise<string> {
  const [baseline, bare]: [BaselineReading[], BaselineReading[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    baseline.push(await read("baseline"));
    bare.push(await read("bare"));
  }
  return mediansTable(
    `What is usual of 10000 pairs, all denied in each minute, for each series; medians of ${rounds} processes each, in turns`,
    [
      { name: "the baseline", columns: columnsOf(baseline) },
      { name: "a Map of an average and a deviation", columns: columnsOf(bare) },
    ],
  );
}

function columnsOf(readings: readonly BaselineReading[]) {
  return {
    "ms/1000": readings.map(({ minuteMs }) => minuteMs),
    "B memory": readings.map(({ bytes }) => bytes),
    "B Redis": readings.map(({ storedBytes }) => storedBytes),
  };
}

async function read(how: "baseline" | "bare"): Promise<BaselineReading> {
  const child = startProcess("baseline-reader.ts", [how]);
  const reading = JSON.parse(await child.line()) as BaselineReading;
  await child.stop();
  return reading;
}
