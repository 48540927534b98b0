import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NewEntry } from "../../src/audit/entry.ts";
import { createSpool, type Spool } from "../../src/audit/spool.ts";
import { closeSpoolFiles, createSpoolFile } from "../../src/audit/spool-file.ts";
import { waitFor } from "../wait.ts";
import { anEntry } from "./entries.ts";

let root = "";
let folder = "";
let problems: string[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "bulkhead-spool-"));
  folder = join(root, "spool");
  problems = [];
});

afterEach(() => rm(root, { recursive: true, force: true }));

function aSpool(maxBytes = 1_000_000, place = folder): Spool {
  return createSpool(place, { maxBytes, now: Date.now, onProblem: (problem) => void problems.push(problem) });
}

/** What a replay gives now. */
async function replayed(spool = aSpool()): Promise<readonly NewEntry[]> {
  const given: NewEntry[] = [];
  await spool.replay(async (entry) => void given.push(entry));
  return given;
}

const ids = (entries: readonly { readonly id: string }[]): readonly string[] => entries.map(({ id }) => id);
const numbered = (...numbers: readonly number[]): readonly string[] => numbers.map((number) => `q-${number}:intent`);

async function onlyFile(): Promise<string> {
  const [name = "", ...others] = await readdir(folder);
  expect(others).toEqual([]);
  return join(folder, name);
}

test("What was spooled comes back as it was, in its order, and once only; nothing of it stays on disk", async () => {
  const spool = aSpool();
  const entries = [1, 2, 3].map((number) => anEntry(number, { reason: "line\nfeed \u2028 and ☎" }));
  for (const entry of entries) expect(await spool.append(entry)).toEqual({ kind: "spooled" });
  expect(await spool.waitingBytes()).toBeGreaterThan(500);
  expect(await replayed(spool)).toEqual(JSON.parse(JSON.stringify(entries)));
  expect(spool.mayHold()).toBe(false);
  expect(await replayed(spool)).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
  expect(await spool.append(anEntry(4))).toEqual({ kind: "spooled" });
  expect(spool.mayHold()).toBe(true);
  expect(ids(await replayed(spool))).toEqual(numbered(4));
});

test("Entries of earlier processes are taken up, before those of this one", async () => {
  await aSpool().append(anEntry(1));
  await aSpool().append(anEntry(2));
  const spool = aSpool();
  expect(spool.mayHold()).toBe(true);
  await spool.append(anEntry(3));
  expect(ids(await replayed(spool))).toEqual(numbered(1, 2, 3));
});

test("A replay that fails in the middle gives everything from that file on again", async () => {
  const spool = aSpool();
  for (const number of [1, 2, 3]) await spool.append(anEntry(number));
  const given: string[] = [];
  const failing = spool.replay(async ({ id }) => {
    if (given.length === 2) throw new Error("Redis went away again");
    given.push(id);
  });
  await expect(failing).rejects.toThrow("Redis went away again");
  expect(spool.mayHold()).toBe(true);
  await spool.append(anEntry(4));
  expect(ids(await replayed(spool))).toEqual(numbered(1, 2, 3, 4));
});

test("A line that was cut anywhere is never an entry, and those before it are", async () => {
  for (const back of [1, 2, 40, 500]) {
    const spool = aSpool();
    for (const number of [1, 2]) await spool.append(anEntry(number));
    const file = await onlyFile();
    const { length } = await readFile(file);
    await truncate(file, length - back);
    expect(ids(await replayed(aSpool()))).toEqual(numbered(1));
  }
  expect(problems).toHaveLength(4);
  expect(problems[0]).toMatch(/its last line was cut/);
  expect(await readdir(folder)).toEqual([]);
});

test("A changed line is named and its file kept; the other lines are replayed", async () => {
  const spool = aSpool();
  for (const number of [1, 2, 3]) await spool.append(anEntry(number));
  const file = await onlyFile();
  await writeFile(file, (await readFile(file, "utf8")).replace("checkout-2", "checkout-9"));
  await appendFile(file, "\u0000\u0000\n");
  expect(ids(await replayed())).toEqual(numbered(1, 3));
  expect(problems).toEqual([expect.stringMatching(/lines 2, 4 are damaged/)]);
  expect(await onlyFile()).toMatch(/\.damaged$/);
  expect(await replayed()).toEqual([]);
});

test("Killed at any moment, every entry that was acknowledged is replayed, and none that is half there", async () => {
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, [
      fileURLToPath(new URL("spool-child.ts", import.meta.url)),
      folder,
      `${round * 100_000 + 1}`,
    ]);
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    await waitFor(() => said.split("\n").length > 20 + round * 17, { timeoutMs: 15_000, everyMs: 1 });
    child.kill("SIGKILL");
    await once(child, "close");
    acknowledged.push(...said.split("\n").flatMap((line) => (line.startsWith("spooled ") ? [line.slice(8)] : [])));
  }
  const again = ids(await replayed());
  expect(acknowledged.length).toBeGreaterThan(60);
  expect(again.filter((id) => acknowledged.includes(id))).toEqual(acknowledged);
  expect(again.length).toBeLessThanOrEqual(acknowledged.length + 3 * 200);
}, 30_000);

test("A full spool refuses, says how much it holds, and takes entries again once it was replayed", async () => {
  const spool = aSpool(2_200);
  expect(await spool.append(anEntry(1))).toEqual({ kind: "spooled" });
  expect(await spool.append(anEntry(2, { detail: { filler: "x".repeat(2_000) } }))).toEqual({
    kind: "refused",
    why: expect.stringMatching(/^the spool holds \d{3} bytes and may hold 2200$/),
  });
  expect(await spool.append(anEntry(3))).toEqual({ kind: "spooled" });
  expect(ids(await replayed(spool))).toEqual(numbered(1, 3));
  expect(await spool.append(anEntry(4, { detail: { filler: "x".repeat(1_000) } }))).toEqual({ kind: "spooled" });
});

test("What earlier processes left counts towards the limit", async () => {
  await aSpool().append(anEntry(1, { detail: { filler: "x".repeat(1_500) } }));
  expect(await aSpool(2_000).append(anEntry(2))).toMatchObject({ kind: "refused" });
});

test("Where the folder cannot be made or written, an append is refused with the reason", async () => {
  await writeFile(join(root, "file"), "");
  for (const place of [join(root, "file", "spool"), "/proc/spool"]) {
    const spool = aSpool(1_000_000, place);
    expect(await spool.append(anEntry(1))).toMatchObject({
      kind: "refused",
      why: expect.stringMatching(/ENO|EROFS|EACCES/),
    });
    expect(await replayed(spool)).toEqual([]);
    expect(await spool.waitingBytes()).toBe(0);
  }
});

test("A disk that takes no more in the middle of a line: the append is refused and nothing of it stays", async () => {
  // A process may be limited to files of so many blocks of 512 bytes (setrlimit(2)); then writes fall short as on a full disk.
  const program = fileURLToPath(new URL("spool-child.ts", import.meta.url));
  const limited = `trap "" XFSZ; ulimit -f 20; exec "${process.execPath}" "${program}" "${folder}"`;
  const child = spawn("sh", ["-c", limited]);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await waitFor(() => said.split("refused").length > 3, { timeoutMs: 15_000 });
  child.kill("SIGKILL");
  await once(child, "close");
  const spooled = said.split("\n").flatMap((line) => (line.startsWith("spooled ") ? [line.slice(8)] : []));
  const again = ids(await replayed());
  expect(again.slice(0, spooled.length)).toEqual(spooled);
  // The one that was under way when the process was killed.
  expect(problems.length).toBeLessThanOrEqual(1);
}, 30_000);

test("A writer whose file is taken while it writes says so, unless whoever took it reads the line", async () => {
  await mkdir(folder);
  let lost = 0;
  for (let round = 0; round < 300; round += 1) {
    const file = await createSpoolFile(folder, round);
    const appended = file.append(`line ${round}\n`);
    if (round % 3 > 0) await new Promise(setImmediate);
    const [path = ""] = await closeSpoolFiles(folder);
    const read = await readFile(path, "utf8");
    if (await appended) expect(read).toBe(`line ${round}\n`);
    else lost += 1;
    await rm(path);
  }
  expect(lost).toBeGreaterThan(0);
});

test("Two processes that share the folder lose nothing while both replay", async () => {
  const [one, other] = [aSpool(), aSpool()];
  const given = new Set<string>();
  const take = async ({ id }: NewEntry): Promise<void> => void given.add(id);
  const appends: Promise<unknown>[] = [];
  for (let number = 1; number <= 200; number += 1) {
    appends.push((number % 2 ? one : other).append(anEntry(number)));
    if (number % 10 === 0) appends.push((number % 20 ? one : other).replay(take));
    if (number % 25 === 0) await Promise.all(appends);
  }
  await Promise.all(appends);
  await one.replay(take);
  expect(given.size).toBe(200);
  expect(problems).toEqual([]);
});

test("The folder and its files are for the owner alone", async () => {
  await aSpool().append(anEntry(1));
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(await onlyFile())).mode & 0o777).toBe(0o600);
});
