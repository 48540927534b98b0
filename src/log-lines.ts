import { writeSync } from "node:fs";
import type { DestinationStream } from "pino";

export type LogLinesOptions = {
  /** How many bytes of these it wrote, from there on. */
  readonly write?: (fd: number, bytes: Buffer, from: number) => number;
  /** How long a reader that takes nothing is waited for before lines are lost, ms. */
  readonly patienceMs?: number;
};

const againMs = 10;

/**
 * Writes each line of the log to that file descriptor before it returns, and never throws. Where nobody reads any more, lines are
 * lost; where nobody took any for 5 s, those until somebody does. pino's own destination (sonic-boom 4.2, flushSync) tries again
 * for ever after EPIPE, so that a bot whose reader was gone did not end by any signal but SIGKILL.
 */
export function logLines(fd: number, options: LogLinesOptions = {}): DestinationStream {
  const { write = writeSync, patienceMs = 5_000 } = options;
  let leftMs = patienceMs;
  let isTorn = false;
  return {
    write(line) {
      const bytes = Buffer.from(isTorn ? `\n${line}` : line);
      const written = writeWithin(leftMs, bytes, (at) => write(fd, bytes, at));
      isTorn = written === 0 ? isTorn : written < bytes.length;
      leftMs = written < bytes.length ? 0 : patienceMs;
    },
  };
}

/** How many bytes were taken; fewer than all where that took too long or was refused. */
function writeWithin(ms: number, bytes: Buffer, write: (from: number) => number): number {
  const until = performance.now() + ms;
  let at = 0;
  while (at < bytes.length) {
    try {
      at += write(at);
    } catch (error) {
      const isFull = (error as NodeJS.ErrnoException).code === "EAGAIN";
      if (!isFull || performance.now() >= until) return at;
      Atomics.wait(clock, 0, 0, againMs);
    }
  }
  return at;
}

const clock = new Int32Array(new SharedArrayBuffer(4));
