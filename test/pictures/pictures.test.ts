import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, expect, test } from "vitest";
import { createPictures, type PictureEvent, type Pictures, type PicturesOptions } from "../../src/pictures/pictures.ts";
import { type PictureThread, startPictureThread } from "../../src/pictures/thread.ts";
import { waitFor } from "../wait.ts";
import { incident } from "./samples.ts";

const folder = mkdtempSync(join(tmpdir(), "bulkhead-pictures-"));
const running: Pictures[] = [];
const events: PictureEvent[] = [];
const problems: string[] = [];
let threads = 0;

afterEach(async () => {
  for (const pictures of running.splice(0)) await pictures.stop();
  events.length = 0;
  problems.length = 0;
  threads = 0;
});

afterAll(() => rmSync(folder, { recursive: true }));

function pictures(options: PicturesOptions & { readonly starts?: () => PictureThread } = {}): Pictures {
  const start = (): PictureThread => {
    threads += 1;
    return (options.starts ?? startPictureThread)();
  };
  const made = createPictures({
    ...options,
    start,
    onEvent: (name) => void events.push(name),
    onProblem: (why) => void problems.push(why),
  });
  running.push(made);
  return made;
}

/** A thread that runs other code the first time. */
function firstRunning(code: string, heapMb?: number): () => PictureThread {
  const file = join(folder, `${events.length}-${code.length}.mjs`);
  writeFileSync(
    file,
    `import { parentPort } from "node:worker_threads";\nparentPort.on("message", () => { ${code} });`,
  );
  let first = true;
  return () => {
    if (!first) return startPictureThread();
    first = false;
    return startPictureThread({ file: pathToFileURL(file), ...(heapMb === undefined ? {} : { heapMb }) });
  };
}

test("Pictures are drawn in one thread, one after the other, and it ends when none is asked for", async () => {
  const ended: string[] = [];
  const starts = (): PictureThread => {
    const thread = startPictureThread();
    return { draw: (input) => thread.draw(input), end: () => thread.end().then(() => void ended.push("ended")) };
  };
  const drawing = pictures({ starts, idleMs: 50 });
  const drawn = await Promise.all([drawing.draw(incident), drawing.draw(incident)]);
  expect(drawn.map((one) => "png" in one && one.widthPx)).toEqual([1_460, 1_460]);
  expect(threads).toBe(1);
  await waitFor(() => ended.length === 1);
  expect("png" in (await drawing.draw(incident))).toBe(true);
  expect(threads).toBe(2);
});

test("A thread out of memory costs its picture alone", async () => {
  const drawing = pictures({ starts: firstRunning("const all = []; for (;;) all.push(new Array(1e5).fill({}));", 8) });
  expect(await drawing.draw(incident)).toEqual({ why: "The picture could not be drawn." });
  expect("png" in (await drawing.draw(incident))).toBe(true);
  expect(events).toEqual(["picture-failed", "picture-drawn"]);
  expect(problems).toEqual([expect.stringContaining("reaching memory limit")]);
});

test("What takes too long is left, also where it never ends, and the next picture is drawn", async () => {
  const drawing = pictures({ starts: firstRunning("for (;;);"), timeoutMs: 3_000 });
  expect(await drawing.draw(incident)).toEqual({ why: "The picture was not ready in time." });
  const next = await drawing.draw(incident);
  expect("png" in next).toBe(true);
  expect(events).toEqual(["picture-slow", "picture-drawn"]);
});

test("What waits has its time as well, and more than so many do not wait", async () => {
  const drawing = pictures({ starts: firstRunning("for (;;);"), timeoutMs: 300, mostWaiting: 1 });
  const asked = await Promise.all([drawing.draw(incident), drawing.draw(incident), drawing.draw(incident)]);
  expect(asked).toEqual([
    { why: "The picture was not ready in time." },
    { why: "The picture was not ready in time." },
    { why: "Too many pictures were asked for at once." },
  ]);
});

test("What cannot be drawn is no end of the thread", async () => {
  const drawing = pictures();
  expect(await drawing.draw({ ...incident, stepMs: 0 })).toEqual({ why: "The picture could not be drawn." });
  expect("png" in (await drawing.draw(incident))).toBe(true);
  expect(threads).toBe(1);
  expect(problems).toEqual(["a picture needs a window and a step"]);
});

test("Nothing is written to disk: a root file system may be read-only", () => {
  const program = `
    const { createPictures } = await import(${JSON.stringify(new URL("../../src/pictures/pictures.ts", import.meta.url))});
    const drawn = await createPictures().draw(${JSON.stringify(incident)});
    process.stdout.write(String(drawn.why ?? drawn.widthPx));`;
  const rights = ["--permission", "--allow-fs-read=*", "--allow-worker", "--allow-addons"];
  const args = ["--disable-warning=SecurityWarning", ...rights, "--input-type=module", "-e", program];
  expect(execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", env: {} })).toBe("1460");
});

test("A stop ends what is being drawn, and nothing is drawn after it", async () => {
  const drawing = pictures({ starts: firstRunning("for (;;);") });
  const asked = drawing.draw(incident);
  await waitFor(() => threads === 1);
  await drawing.stop();
  expect(await asked).toEqual({ why: "Bulkhead is stopping." });
  expect(await drawing.draw(incident)).toEqual({ why: "Bulkhead is stopping." });
});
