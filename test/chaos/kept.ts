import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readRecord } from "../../src/commands/laptop.ts";
import type { Connection } from "../../src/kubernetes/connection.ts";
import { createRecords } from "../../src/kubernetes/records.ts";
import type { Operation } from "../../src/policy/operation.ts";

/** What bots keep elsewhere while Redis is away: operations in ConfigMaps, audit entries there and in spool files. */
export type Kept = {
  readonly operations: readonly Operation[];
  /** Whether an entry of that id lies there. */
  holds(entry: string): boolean;
};

export const nothingKept: Kept = { operations: [], holds: () => false };

/** Reads the records of the bot's namespace and the spools in these folders. */
export async function readKept(admin: Connection, spools: readonly string[]): Promise<Kept> {
  const records = (await createRecords(admin, "bulkhead").list()).map(({ text }) => text);
  const files = (await Promise.all(spools.map(filesIn))).flat();
  const texts = [...records, ...(await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => ""))))];
  return {
    operations: records.flatMap((text) => readRecord(text)?.operation ?? []),
    holds: (entry) => texts.some((text) => text.includes(`"${entry}"`)),
  };
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => join(folder, name));
}
