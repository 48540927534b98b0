import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, stat, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";

/** One file that only this process appends to. It is open only during an append. */
export type SpoolFile = {
  /** Resolves when the text is on disk in a file that replays will find: false where somebody took it meanwhile. */
  append(text: string): Promise<boolean>;
  /** Takes back what a failed append may have left, as far as that is possible. */
  cutBack(): Promise<void>;
};

const openEnd = ".open.ndjson";
const closedEnd = ".closed.ndjson";

/** So many files this process has made: their names keep their order also within one millisecond. */
let made = 0;

/**
 * A new file in the folder, which is made where it is missing (its parent is not: that is where a volume is mounted);
 * both are on disk when this resolves.
 */
export async function createSpoolFile(folder: string, nowMs: number): Promise<SpoolFile> {
  await mkdir(folder, { mode: 0o700 }).catch(unlessThere);
  made += 1;
  const order = `${String(nowMs).padStart(15, "0")}-${String(made).padStart(6, "0")}`;
  const path = join(folder, `${order}-${randomUUID().slice(0, 8)}${openEnd}`);
  const ino = await created(path);
  await syncFolder(folder);
  await syncFolder(dirname(folder));
  let size = 0;
  return {
    async append(text) {
      const found = await withFile(path, constants.O_WRONLY | constants.O_APPEND, async (file) => {
        await file.appendFile(text);
        await file.datasync();
        return true;
      }).catch(unlessGone);
      size += Buffer.byteLength(text);
      // Who replays renames a file before reading it: what is on disk while the file has its name will be read.
      return found === true && (await stat(path).catch(unlessGone))?.ino === ino;
    },
    cutBack: () => truncate(path, size).catch(() => undefined),
  };
}

/** Makes the file and returns its inode. */
function created(path: string): Promise<number> {
  return withFile(path, "ax", async (file) => (await file.stat()).ino);
}

/** Ends every file of the folder for its writer, whoever that is, and returns the paths of all that ended, in order. */
export async function closeSpoolFiles(folder: string): Promise<readonly string[]> {
  for (const name of await namesIn(folder)) {
    if (!name.endsWith(openEnd)) continue;
    const closed = join(folder, name.slice(0, -openEnd.length) + closedEnd);
    await rename(join(folder, name), closed).catch(unlessGone);
  }
  const names = await namesIn(folder);
  return names
    .filter((name) => name.endsWith(closedEnd))
    .toSorted()
    .map((name) => join(folder, name));
}

/** Bytes of all files that wait in the folder; 0 where there is no folder. */
export async function spoolBytes(folder: string): Promise<number> {
  const names = (await namesIn(folder)).filter((name) => name.endsWith(openEnd) || name.endsWith(closedEnd));
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name)).catch(unlessGone)));
  return sizes.reduce((sum, found) => sum + (found?.size ?? 0), 0);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(unlessGone)) ?? [];
}

/** A name is durable only when its folder is, too (fsync(2)). */
async function syncFolder(folder: string): Promise<void> {
  await withFile(folder, "r", (handle) => handle.sync());
}

async function withFile<T>(path: string, flags: string | number, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags, 0o600);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

function unlessThere(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}

/** Another process replays the same folder: what it took away is not there any more, and that is no failure. */
function unlessGone(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
