import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { logLines } from "../src/log-lines.ts";

const refused = (code: string) => Object.assign(new Error(code), { code });

/** A reader that takes what `take` says, in turn; `take` answers with bytes, or with an error's code. */
function readBy(take: (bytes: Buffer) => number | string) {
  const read: Buffer[] = [];
  const write = (_: number, bytes: Buffer, from: number) => {
    const taken = take(bytes.subarray(from));
    if (typeof taken === "string") throw refused(taken);
    read.push(bytes.subarray(from, from + taken));
    return taken;
  };
  return { lines: logLines(1, { write, patienceMs: 100 }), read: () => Buffer.concat(read).toString() };
}

test("A line is written whole, however little is taken at a time, also where the reader is full for a while", () => {
  let at = 0;
  const { lines, read } = readBy((bytes) => (++at % 3 === 0 ? "EAGAIN" : Math.min(2, bytes.length)));
  lines.write('{"a":"ä€"}\n');
  lines.write('{"b":2}\n');
  expect(read()).toBe('{"a":"ä€"}\n{"b":2}\n');
});

test("Where nobody reads any more nothing is thrown", () => {
  const { lines, read } = readBy(() => "EPIPE");
  lines.write("one\n");
  lines.write("two\n");
  expect(read()).toBe("");
});

test("A reader that stands still is waited for once, and what comes after a torn line begins a new one", () => {
  let isStill = false;
  let asked = 0;
  const { lines, read } = readBy((bytes) => {
    asked += 1;
    if (isStill) return "EAGAIN";
    isStill = bytes.length > 3;
    return Math.min(3, bytes.length);
  });
  lines.write("torn\n");
  expect(asked).toBeGreaterThan(2);
  asked = 0;
  for (let line = 0; line < 100; line += 1) lines.write("lost\n");
  expect(asked).toBe(100);
  isStill = false;
  lines.write("x\n");
  expect(read()).toBe("tor\nx\n");
});

test("A process whose reader is gone still ends when it is told to", async () => {
  const script = `
    import { pino } from ${JSON.stringify(import.meta.resolve("pino"))};
    import { logLines } from ${JSON.stringify(new URL("../src/log-lines.ts", import.meta.url).href)};
    const log = pino({}, logLines(1));
    process.once("SIGTERM", () => { log.fatal("ends"); process.exit(7); });
    setInterval(() => log.info("is there"), 5);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  child.stdout.destroy();
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([7, null]);
});
