import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { emptyTestRedis } from "../redis.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

test("the tour plays a whole incident, and ends with a verified chain", async () => {
  const env = { ...process.env, REDIS_URL: await emptyTestRedis() };
  const tour = promisify(execFile)(process.execPath, [cli, "demo", "--tour"], { env, timeout: 60_000 });
  const { stdout } = await tour.catch((error: Error & { readonly stdout?: string }) => {
    throw new Error(`${error.message}\nIts last words: ${error.stdout?.slice(-3_000)}`);
  });
  for (const seen of [
    /Yes: shop\/frontend-\S+ can connect to shop\/cart on TCP 8081\./,
    /Plan: quarantine shop\/frontend-/,
    /ISOLATED FOR NEW CONNECTIONS/,
    /No: shop\/frontend-\S+ cannot connect to shop\/cart on TCP 8081\./,
    /Released: shop\/frontend-/,
  ]) {
    expect(stdout).toMatch(seen);
  }
  expect(stdout).toMatch(/The chain is intact: \d+ entries, head #\d+ [0-9a-f]{64}\s*$/);
}, 60_000);
