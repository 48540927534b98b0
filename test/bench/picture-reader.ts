import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { createPictures } from "../../src/pictures/pictures.ts";
import { startPictureThread } from "../../src/pictures/thread.ts";
import { benchPictureInput } from "./picture-input.ts";

/** A process that draws one picture cold and twenty warm, as the bot does (`thread`) or bare, and prints what that took. */
export type PictureReading = {
  /** From asking to the first picture: the start of the thread, or of resvg, included. */
  readonly coldMs: number;
  /** The median of those after it. */
  readonly warmMs: number;
  /** The longest time in which the event loop did not turn, after the first picture. */
  readonly stallMs: number;
  /** Resident memory beyond that before the first picture: the most, and what stays when the thread has ended. */
  readonly mostMb: number;
  readonly afterMb: number;
};

const [how = "", svg = ""] = process.argv.slice(2);
await wait(200);
const before = resident();
let most = before;
const ended = Promise.withResolvers<void>();
const drawing = how === "bare" ? bare(svg) : thread();
const coldMs = await timed(drawing);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const warm: number[] = [];
for (let at = 0; at < 20; at += 1) warm.push(await timed(drawing));
delay.disable();
// Nothing of the thread keeps the process alive.
if (how !== "bare") await Promise.race([ended.promise, wait(10_000)]);
await wait(500);
const reading: PictureReading = {
  coldMs,
  warmMs: warm.toSorted((a, b) => a - b)[10] ?? 0,
  stallMs: delay.max / 1e6,
  mostMb: most - before,
  afterMb: resident() - before,
};
process.stdout.write(`${JSON.stringify(reading)}\n`);
process.exit(0);

function thread(): () => Promise<unknown> {
  const start = () => {
    const one = startPictureThread();
    return { draw: one.draw.bind(one), end: () => one.end().then(ended.resolve) };
  };
  const pictures = createPictures({ start, idleMs: 300 });
  return async () => {
    const drawn = await pictures.draw(benchPictureInput);
    if ("why" in drawn) throw new Error(drawn.why);
  };
}

/** resvg with the same fonts; it is loaded by the first picture, as in the thread. */
function bare(file: string): () => Promise<unknown> {
  const text = readFileSync(file, "utf8");
  return async () => {
    const { rasterise } = await import("../../src/pictures/raster.ts");
    return rasterise(text);
  };
}

async function timed(draw: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await draw();
  const ms = performance.now() - begun;
  most = Math.max(most, resident());
  // A turn of the event loop, in which its delay is seen.
  await wait(2);
  return ms;
}

/** MiB. */
function resident(): number {
  return process.memoryUsage().rss / 2 ** 20;
}
