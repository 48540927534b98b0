import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { composeDenied } from "../../src/pictures/draw.ts";
import { createTypesetter } from "../../src/pictures/typesetting.ts";
import { mediansTable } from "./figures.ts";
import { benchPictureInput } from "./picture-input.ts";
import type { PictureReading } from "./picture-reader.ts";

const rounds = 5;

/** Eight lines of 120 minutes and five marks: in the bot's thread, beside bare resvg that gets the finished SVG. */
export async function benchPicture(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-bench-"));
  try {
    const svg = join(folder, "picture.svg");
    writeFileSync(svg, composeDenied(benchPictureInput, createTypesetter()).svg);
    const [thread, bare]: [PictureReading[], PictureReading[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      thread.push(await read("thread", svg));
      bare.push(await read("bare", svg));
    }
    return mediansTable(
      `A picture of denied flows, 8 lines and 5 marks, medians of ${rounds} processes each, in turns`,
      [
        { name: "in a thread: cold, then 20 warm", columns: columnsOf(thread) },
        { name: "bare resvg, the finished SVG, on the main thread", columns: columnsOf(bare) },
      ],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Memory is what the process has more than before the first picture. */
function columnsOf(readings: readonly PictureReading[]) {
  return {
    "cold ms": readings.map(({ coldMs }) => coldMs),
    "warm ms": readings.map(({ warmMs }) => warmMs),
    "stall ms": readings.map(({ stallMs }) => stallMs),
    "most MiB": readings.map(({ mostMb }) => mostMb),
    "after MiB": readings.map(({ afterMb }) => afterMb),
  };
}

async function read(how: "thread" | "bare", svg: string): Promise<PictureReading> {
  const file = fileURLToPath(new URL("picture-reader.ts", import.meta.url));
  const child = spawn(process.execPath, [file, how, svg], { stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(await text(child.stdout)) as PictureReading;
}
