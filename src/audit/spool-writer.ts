import { createSpoolFile, type SpoolFile, spoolBytes } from "./spool-file.ts";

/** `refused`: it is not durable here, and why; the disk is full, read-only, too slow, or holds as much as it may. */
export type Spooled = { readonly kind: "spooled" } | { readonly kind: "refused"; readonly why: string };

export type SpoolWriterOptions = {
  /** How much may wait in the folder. */
  readonly maxBytes: number;
  /** How long an append may take, milliseconds; a disk that hangs is given up for then. Default 2 s. */
  readonly withinMs?: number;
  /** Milliseconds since the epoch; names files only. */
  readonly now: () => number;
};

export type SpoolWriter = {
  readonly append: (line: string) => Promise<Spooled>;
  /** Lets the file go; the next append begins another one. */
  readonly close: () => Promise<void>;
};

/** Appends lines to a file of its own in the folder, one at a time; each returns in time, whatever the disk does. */
export function createSpoolWriter(folder: string, { withinMs = 2_000, ...options }: SpoolWriterOptions): SpoolWriter {
  const turn = createTurn(folder, options);
  let last: Promise<unknown> = Promise.resolve();
  let stuck = false;

  const inTurn = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    if (stuck) return undefined;
    const done = last.then(work);
    last = done.finally(() => {
      stuck = false;
    });
    const result = await within(done, withinMs);
    stuck = result === undefined;
    return result;
  };

  return {
    async append(line) {
      const result = await inTurn(() => turn.write(line));
      return result ?? { kind: "refused", why: `the disk did not answer within ${withinMs} ms` };
    },
    async close() {
      await inTurn(turn.close);
    },
  };
}

/** One append at a time. After a failure the next one begins a new file, so that no line stands behind half of another. */
function createTurn(folder: string, { maxBytes, now }: Omit<SpoolWriterOptions, "withinMs">) {
  let file: SpoolFile | undefined;
  let used = 0;

  const write = async (line: string): Promise<Spooled> => {
    if (file === undefined) used = await spoolBytes(folder);
    const after = used + Buffer.byteLength(line);
    if (after > maxBytes) return { kind: "refused", why: `the spool holds ${used} bytes and may hold ${maxBytes}` };
    file ??= await createSpoolFile(folder, now());
    used = after;
    if (await file.append(line)) return { kind: "spooled" };
    file = undefined;
    return write(line);
  };

  return {
    close: () => {
      file = undefined;
      return Promise.resolve(true);
    },
    async write(line: string): Promise<Spooled> {
      try {
        return await write(line);
      } catch (error) {
        await file?.cutBack();
        file = undefined;
        return { kind: "refused", why: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

/** What the promise resolves to, or undefined where that takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
