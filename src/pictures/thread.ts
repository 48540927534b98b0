import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { DeniedPicture } from "./picture.ts";
import type { Drawn } from "./worker.ts";

/** A thread that draws, one picture at a time. */
export type PictureThread = {
  /** What it drew; an error of it, or the thread's that ended over it (out of memory, for one). Never rejects. */
  draw(input: DeniedPicture): Promise<Drawn | Ended>;
  end(): Promise<void>;
};

/** The thread is gone. */
export type Ended = { readonly ended: string };

export type ThreadOptions = {
  /** Heap of the thread, MiB; beyond it the thread ends, and nothing else does. */
  readonly heapMb?: number;
  /** The file that it runs; another one in tests. */
  readonly file?: URL;
};

/** Drawing takes some 20 MiB of heap; what resvg takes of native memory is given back with the thread. */
const usualHeapMb = 96;

/**
 * Runs `worker.ts` as it is, since Node strips its types. It gets no environment, which holds secrets, and no options of the
 * process's (`--input-type` is one that no thread starts with); it does not keep the process alive.
 */
export function startPictureThread(options: ThreadOptions = {}): PictureThread {
  const worker = new Worker(options.file ?? new URL("./worker.ts", import.meta.url), {
    name: "pictures",
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: options.heapMb ?? usualHeapMb, maxYoungGenerationSizeMb: 16 },
  });
  worker.unref();
  // `once` rejects with an error that comes first; without a listener it would be an exception of the process.
  const ended = once(worker, "exit").then(
    () => ({ ended: "it was stopped" }),
    (error: unknown) => ({ ended: error instanceof Error ? error.message : String(error) }),
  );
  return {
    async draw(input) {
      const answered = Promise.withResolvers<Drawn>();
      worker.once("message", answered.resolve);
      worker.postMessage(input);
      return Promise.race([answered.promise, ended]);
    },
    async end() {
      await worker.terminate();
    },
  };
}
