import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { PNG } from "pngjs";
import { afterAll, expect, test } from "vitest";
import { drawDenied } from "../../src/pictures/draw.ts";
import { laneHeight } from "../../src/pictures/layout.ts";
import type { LabelBox, Picture } from "../../src/pictures/picture.ts";
import { createTypesetter } from "../../src/pictures/typesetting.ts";
import { isOpaque, isWritten, isWrittenNear, readPng } from "../pictures/png.ts";
import { pictureTold } from "../pictures/told.ts";
import { emptyTestRedis } from "../redis.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pictures = mkdtempSync(join(tmpdir(), "bulkhead-tour-"));
afterAll(() => rmSync(pictures, { recursive: true }));
const readme = readFileSync(`${root}README.md`, "utf8");

test("the tour plays an incident, an allowance to its end and the spike of a pipeline's mistake until it is quiet, verifies its chain, and says what the README shows of it", async () => {
  const env = { ...process.env, REDIS_URL: await emptyTestRedis() };
  const args = ["src/cli.ts", "demo", "--tour", "--pictures", pictures];
  const tour = promisify(execFile)(process.execPath, args, { cwd: root, env, timeout: 400_000 });
  const { stdout } = await tour.catch((error: Error & { readonly stdout?: string }) => {
    throw new Error(`${error.message}\nIts last words: ${error.stdout?.slice(-3_000)}`);
  });
  const shown = timeless(stdout.split("\n"));
  const told = timeless(transcript().filter((line) => line !== "…"));
  let at = 0;
  for (const line of told) {
    const found = shown.indexOf(line, at);
    expect(found, `after the line "${shown[at - 1]}": ${line}`).toBeGreaterThanOrEqual(at);
    at = found + 1;
  }
  expect(told.length).toBeGreaterThan(60);
  expect(stdout).toMatch(/The chain is intact: \d+ entries, head #\d+ [0-9a-f]{64}\s*$/);
  expectPicture(stdout);
}, 410_000);

/** What Slack received of it: opaque, of Slack's width for sharp screens, every text that its alternative text tells of in its place. */
function expectPicture(stdout: string): void {
  const [file = "", ...others] = readdirSync(pictures);
  expect(others).toEqual([]);
  const image = readPng({ png: readFileSync(join(pictures, file)) });
  expect([image.width, isOpaque(image)]).toEqual([1_460, true]);
  const told = pictureTold(altTextIn(stdout));
  const drawn = drawDenied(told, createTypesetter());
  expect(notWritten(image, drawn, 1_460 / ((told.toMs - told.fromMs) / told.stepMs))).toEqual([]);
  const texts = drawn.labels.map(({ text }) => text);
  const change = /^\d\d:\d\d db\/allow-postgres changed by the program ci-pipeline · v-\w{7}$/;
  expect(texts).toContainEqual(expect.stringMatching(change));
  expect(texts).toContainEqual(expect.stringMatching(/^\d\d:\d\d spike$/));
}

/**
 * Texts that are not there, but for the numbers on lines, which stand before other lines. The alternative text tells minutes: a
 * letter may stand anywhere within one, on either side of its mark and in any lane, and the picture may have more lanes, or fewer.
 */
function notWritten(image: PNG, drawn: Picture, minuteWide: number): readonly string[] {
  const as = readPng(drawn);
  const down = image.height - as.height;
  expect(Math.abs(down % lane)).toBe(0);
  const reach = Math.ceil(minuteWide) + 2 * lane;
  const acrosses = Array.from({ length: 2 * reach + 1 }, (_, at) => at - reach);
  const moves = [0, 1, -1, 2, -2, 3, -3].flatMap((lanes) => acrosses.map((across) => ({ across, down: lanes * lane })));
  const isThere = (box: LabelBox): boolean => {
    if (isWritten(image, { image: as, box }, box.y < lanesTop ? 0 : down)) return true;
    return /^[A-H]$/.test(box.text) && isWrittenNear(image, { image: as, box }, moves);
  };
  const missing = drawn.labels.filter((box) => !isThere(box));
  return missing.map(({ text }) => text).filter((text) => !/^[1-8]$/.test(text));
}

/** Pixels: the height of a lane of letters, and where the first begins. */
const lane = 2 * laneHeight;
const lanesTop = 2 * 66;

/** As the terminal shows it, on several lines. */
function altTextIn(stdout: string): string {
  const [, shown = ""] = /│ \[picture: ([\s\S]+?)\]\n/.exec(stdout) ?? [];
  return shown.replace(/\s*\n│ /g, " ");
}

/** What is fresh in every run: ids, times, hashes. */
function timeless(lines: readonly string[]): readonly string[] {
  return lines.map((line) =>
    line
      .replace(/\b[aqruv]-[0-9a-z]{7}\b/g, "ID")
      .replace(/\b[\d.]+ m?s (after|ago)/g, "TIME $1")
      .replace(/(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d UTC/g, "CLOCK")
      // How many flows tell of their first time before the end depends on the machine.
      .replace(/\b\d+ entries, head #\d+/g, "N entries, head #N")
      .replace(/\b\d\d [A-Z][a-z]{2} \d\d:\d\d to \d\d:\d\d UTC/g, "WINDOW")
      .replace(/Ends in \d+ s/g, "Ends in TIME")
      .replace(/\b[0-9a-f]{64}\b/g, "HASH"),
  );
}

/** The lines of the README's transcript. */
function transcript(): readonly string[] {
  const [, body = ""] = /^```transcript\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  return body.trimEnd().split("\n");
}
