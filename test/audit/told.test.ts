import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ChainedEntry, NewEntry } from "../../src/audit/entry.ts";
import { type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import { runAuditTool } from "../../src/audit-tools.ts";
import { connectTestRedis, testRedisUrl } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { anEntry } from "./entries.ts";

let redis: Redis;
let folder = "";

beforeEach(async () => {
  redis = await connectTestRedis();
  folder = await mkdtemp(join(tmpdir(), "bulkhead-told-"));
});
afterEach(async () => {
  redis.disconnect();
  await rm(folder, { recursive: true, force: true });
});

const line = (fields: object): string => `${JSON.stringify({ level: 30, ...fields })}\n`;

/** A replica's log and its standard output. */
function replica(): { readonly log: ChainStore; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: createAuditLog(redis, { onEntry: (audit) => void lines.push(line({ audit })) }), lines };
}

/** What `audit verify --from` says of these lines. */
async function verify(
  lines: readonly string[],
  head?: string,
): Promise<{ readonly ok: boolean; readonly line: string }> {
  const file = join(folder, "bulkhead.log");
  await writeFile(file, lines.join(""));
  const by = { stamp: { at: anEntry(1).at, replica: "r" }, actor: { kind: "in-pod" } } as const;
  const options = { redisUrl: undefined, redisAccess: {}, write: () => undefined, now: Date.now, by };
  return runAuditTool({ kind: "verify", from: file, head }, options);
}

test("Killed between append and print, the missing lines are printed by whoever comes next: none is lost", async () => {
  const kept: string[] = [];
  for (const round of [0, 1, 2]) {
    const program = fileURLToPath(new URL("told-child.ts", import.meta.url));
    const child = spawn(process.execPath, [program, testRedisUrl(), `${round * 100_000 + 1}`]);
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    await waitFor(() => said.split("\n").length > 40, { timeoutMs: 20_000, everyMs: 1 });
    child.kill("SIGKILL");
    await once(child, "close");
    // The last lines never reached the log pipeline: the pipe went with the process.
    kept.push(said.split("\n").slice(0, -6).join("\n"), "\n");
    const { log, lines } = replica();
    await log.tellMissed();
    kept.push(...lines);
  }
  const head = await replica().log.head();
  expect(await verify(kept, `${head.seq}:${head.hash}`)).toMatchObject({
    ok: true,
    line: expect.stringMatching(new RegExp(`^The chain is intact: ${head.seq} entries`)),
  });
}, 60_000);

test("Two replicas' lines, side by side and some of them twice, are one chain", async () => {
  const [one, other] = [replica(), replica()];
  await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 ? one : other).log.append(anEntry(n))));
  const next = replica();
  await next.log.tellMissed();
  expect(next.lines).toHaveLength(40);
  const again = JSON.parse(next.lines[7] ?? "{}") as { audit: ChainedEntry };
  const first = [...one.lines, ...other.lines].find((text) => text.includes(`"hash":"${again.audit.hash}"`)) ?? "{}";
  expect((JSON.parse(first) as { audit: ChainedEntry }).audit).toEqual(again.audit);
  const { seq, hash } = await one.log.head();
  const mixed = [...other.lines, ...next.lines.toReversed(), ...one.lines];
  expect(await verify(mixed, `${seq}:${hash}`)).toMatchObject({ ok: true });
  expect(await verify(mixed.filter((text) => !text.includes('"seq":17,')))).toMatchObject({ ok: false });
});

describe("Lines of entries that were spooled", () => {
  const unchained = (audit: NewEntry, standing = "spooled"): string => line({ audit, standing, why: "away" });

  test("are copies of what was chained later", async () => {
    const { log, lines } = replica();
    const early = [unchained(anEntry(1)), unchained(anEntry(2), "told-only")];
    for (const number of [1, 2]) await log.append(anEntry(number));
    const { ok, line: said } = await verify([...early, ...lines]);
    expect(ok).toBe(true);
    expect(said).toMatch(/^The chain is intact: 2 entries/);
    expect(said).not.toMatch(/NOT in the chain/);
  });

  test("are named where they were never chained", async () => {
    const { log, lines } = replica();
    await log.append(anEntry(1));
    expect(await verify([unchained(anEntry(7)), ...lines])).toMatchObject({
      ok: true,
      line: expect.stringContaining('NOT in the chain, only told on standard output: "q-7:intent".'),
    });
  });

  test("that say something else than what was chained are found", async () => {
    const { log, lines } = replica();
    await log.append(anEntry(1));
    const told = unchained(anEntry(1, { summary: "quarantine of another pod" }));
    expect(await verify([told, ...lines])).toMatchObject({
      ok: false,
      line: expect.stringContaining('CHANGED in the chain: "q-1:intent".'),
    });
  });
});
