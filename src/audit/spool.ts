import { readFile, rename, rm } from "node:fs/promises";
import { basename } from "node:path";
import type { NewEntry } from "./entry.ts";
import { closeSpoolFiles, spoolBytes } from "./spool-file.ts";
import { readSpoolLines, spoolLine } from "./spool-lines.ts";
import { createSpoolWriter, type Spooled, type SpoolWriterOptions } from "./spool-writer.ts";

type Take = (entry: NewEntry) => Promise<unknown>;

/** Audit entries on local disk, for as long as the chain cannot be reached. */
export type Spool = {
  /** Durable when it returns `spooled`; never throws for what the disk does. */
  append(entry: NewEntry): Promise<Spooled>;
  /**
   * Gives every entry of the folder to `take`, those of earlier processes first, each file in the order of its writing,
   * and removes a file once all of it was taken. Throws what `take` throws; then everything from that file on stays.
   * The same entry may be given twice, also to two replicas: ids tell. Returns how many it gave.
   */
  replay(take: Take): Promise<number>;
  /** Bytes that wait in the folder; 0 where it cannot be read. */
  waitingBytes(): Promise<number>;
  /** Whether entries may wait: false only where it is known that none of this process and its predecessors does. */
  mayHold(): boolean;
};

export type SpoolOptions = SpoolWriterOptions & {
  /** Told in words of what was lost, set aside, or cannot be read. */
  readonly onProblem: (problem: string) => void;
};

/**
 * A spool in the folder, which is made with the first entry. Several processes may share it: a file belongs to its
 * writer until somebody who replays renames it; a writer whose file was renamed writes its line again elsewhere.
 */
export function createSpool(folder: string, { onProblem, ...options }: SpoolOptions): Spool {
  const writer = createSpoolWriter(folder, options);
  let holds = true;
  let replaying: Promise<number> | undefined;

  const replay = async (take: Take): Promise<number> => {
    holds = false;
    await writer.close();
    const paths = await closeSpoolFiles(folder).catch(() => []);
    try {
      let given = 0;
      for (const path of paths) given += await replayFile(path, take, onProblem);
      return given;
    } catch (error) {
      holds = true;
      throw error;
    }
  };

  return {
    append(entry) {
      holds = true;
      return writer.append(spoolLine(entry));
    },
    replay(take) {
      replaying ??= replay(take).finally(() => {
        replaying = undefined;
      });
      return replaying;
    },
    waitingBytes: () => spoolBytes(folder).catch(() => 0),
    mayHold: () => holds,
  };
}

async function replayFile(path: string, take: Take, onProblem: SpoolOptions["onProblem"]): Promise<number> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    onProblem(`spool file ${basename(path)} cannot be read: ${String(error)}`);
  });
  if (text === undefined) return 0;
  const { entries, damaged, cut } = readSpoolLines(text);
  for (const entry of entries) await take(entry);
  if (cut) onProblem(`spool file ${basename(path)}: its last line was cut while it was written, and is left out`);
  if (damaged.length === 0) {
    await rm(path, { force: true });
  } else {
    onProblem(`spool file ${basename(path)}: lines ${damaged.join(", ")} are damaged; it is kept as ….damaged`);
    await rename(path, `${path}.damaged`).catch(() => undefined);
  }
  return entries.length;
}
