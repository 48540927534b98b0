import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test.each([
  { signal: "SIGTERM", code: 143 },
  { signal: "SIGINT", code: 130 },
] as const)(
  "a demo that $signal stops says so, ends with $code and leaves nothing running",
  async ({ signal, code }) => {
    const env = { ...process.env, REDIS_URL: await emptyTestRedis() };
    const demo = spawn(process.execPath, ["src/cli.ts", "demo", "--tour"], {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    demo.stdout.setEncoding("utf8").on("data", (more: string) => (said += more));
    const complained = text(demo.stderr);
    const ended = once(demo, "exit");
    await waitFor(() => said.includes("/np status"), { timeoutMs: 120_000 });
    const bot = childrenOf(demo.pid);
    demo.kill(signal);
    expect(await ended).toEqual([code, null]);
    expect(said).toContain(`\nStopped by ${signal}: everything that the demo started ends now.\n`);
    expect(await complained).toBe("");
    expect(bot).toHaveLength(1);
    expect(bot.filter(isThere)).toEqual([]);
  },
  200_000,
);

test("an argument that it does not know is answered with those that it knows", () => {
  const run = (): string =>
    execFileSync(process.execPath, ["src/cli.ts", "demo", "--loud"], { cwd: root, encoding: "utf8" });
  expect(run).toThrow(
    expect.objectContaining({ status: 2, stdout: "bulkhead: demo takes --tour and --pictures FOLDER, not --loud\n" }),
  );
});

function childrenOf(parent: number | undefined): readonly number[] {
  const processes = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const pairs = processes.map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []));
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
