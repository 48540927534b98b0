import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { emptyTestRedis } from "../redis.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(`${root}README.md`, "utf8");

test("the tour plays an incident, an allowance to its end and the spike of a pipeline's mistake until it is quiet, verifies its chain, and says what the README shows of it", async () => {
  const env = { ...process.env, REDIS_URL: await emptyTestRedis() };
  const args = ["src/cli.ts", "demo", "--tour"];
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
}, 410_000);

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
