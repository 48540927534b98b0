import type { DeniedPicture, NoPicture, Picture } from "./picture.ts";
import { createStudio } from "./studio.ts";
import { type PictureThread, startPictureThread } from "./thread.ts";

/** Draws beside the bot's own thread. */
export type Pictures = {
  /** The picture, or why there is none; within `timeoutMs`, whatever happens, and never rejects. */
  draw(input: DeniedPicture): Promise<Picture | NoPicture>;
  /** Ends the thread; what waits gets no picture. */
  stop(): Promise<void>;
};

export type PicturesOptions = {
  /** Counts what came of each picture. */
  readonly onEvent?: (name: PictureEvent) => void;
  /** Hears why a picture could not be drawn. */
  readonly onProblem?: (why: string) => void;
  /** From asking to the picture, waiting for others included, ms. */
  readonly timeoutMs?: number;
  /** After that long without work the thread ends, and its memory is free again, ms. */
  readonly idleMs?: number;
  /** How many may wait behind the one that is drawn. */
  readonly mostWaiting?: number;
  /** Starts a thread; for tests. */
  readonly start?: () => PictureThread;
};

export type PictureEvent = "picture-drawn" | "picture-busy" | "picture-slow" | "picture-failed";

const usual = { timeoutMs: 10_000, idleMs: 60_000, mostWaiting: 8, start: startPictureThread } as const;

const why = {
  busy: "Too many pictures were asked for at once.",
  slow: "The picture was not ready in time.",
  failed: "The picture could not be drawn.",
  stopped: "Bulkhead is stopping.",
} as const;

/**
 * One thread, started when a picture is asked for and ended when none was for a while; one picture at a time. A thread
 * that fails or takes too long is ended, and the next picture gets a new one.
 */
export function createPictures(options: PicturesOptions = {}): Pictures {
  const { timeoutMs, mostWaiting } = { ...usual, ...options };
  const onEvent = options.onEvent ?? (() => undefined);
  const studio = createStudio({ ...usual, ...options });
  let queue: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let stopped = false;

  async function drawNow(input: DeniedPicture, until: number): Promise<Picture | NoPicture> {
    const leftMs = until - performance.now();
    if (stopped) return { why: why.stopped };
    const drawn = leftMs <= 0 ? undefined : await studio.draw(input, leftMs);
    if (drawn === undefined) return { why: why.slow };
    if ("picture" in drawn) return drawn.picture;
    if (stopped) return { why: why.stopped };
    options.onProblem?.("error" in drawn ? drawn.error : drawn.ended);
    return { why: why.failed };
  }

  return {
    async draw(input) {
      if (waiting > mostWaiting) {
        onEvent("picture-busy");
        return { why: why.busy };
      }
      waiting += 1;
      const until = performance.now() + timeoutMs;
      const turn = queue.then(() => drawNow(input, until));
      queue = turn;
      const drawn = await turn;
      waiting -= 1;
      onEvent(eventOf(drawn));
      return drawn;
    },
    async stop() {
      stopped = true;
      await studio.close();
      await queue;
    },
  };
}

function eventOf(drawn: Picture | NoPicture): PictureEvent {
  if (!("why" in drawn)) return "picture-drawn";
  return drawn.why === why.slow ? "picture-slow" : "picture-failed";
}
