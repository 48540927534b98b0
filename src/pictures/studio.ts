import type { DeniedPicture } from "./picture.ts";
import type { Ended, PictureThread } from "./thread.ts";
import type { Drawn } from "./worker.ts";

/** A thread that is there when it is needed. */
export type Studio = {
  /**
   * `ended`: the thread failed, and how. Undefined: it took longer than that. Either way the next picture gets a new one. One
   * call at a time.
   */
  draw(input: DeniedPicture, withinMs: number): Promise<Drawn | Ended | undefined>;
  close(): Promise<void>;
};

export type StudioOptions = {
  readonly start: () => PictureThread;
  /** After that long without work the thread is ended, ms. */
  readonly idleMs: number;
};

export function createStudio({ start, idleMs }: StudioOptions): Studio {
  let thread: PictureThread | undefined;
  let idle: NodeJS.Timeout | undefined;

  async function close(): Promise<void> {
    clearTimeout(idle);
    const ending = thread;
    thread = undefined;
    await ending?.end();
  }

  return {
    async draw(input, withinMs) {
      clearTimeout(idle);
      thread ??= start();
      const drawn = await within(thread.draw(input), withinMs);
      // Not waited for: a thread inside of native code ends when that is done.
      if (drawn === undefined || "ended" in drawn) void close();
      else idle = setTimeout(() => void close(), idleMs).unref();
      return drawn;
    },
    close,
  };
}

/** Undefined where the time was over first. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const over = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => over.resolve(undefined), ms);
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
