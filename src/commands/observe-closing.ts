import type { Operation } from "../policy/operation.ts";
import { aroundMs } from "./observe-notes.ts";

/** Which operations are to have written down what was seen around them; each once by this replica. */
export type Closing = {
  /** Those that are due now, given all that are looked at. */
  due(watched: readonly Operation[]): readonly Operation[];
  /** Those that are looked at no more, and are not due yet. */
  waiting(): readonly Operation[];
  done(operation: Operation): void;
};

/** Other replicas store what they have seen until then. */
const afterMs = 10_000;
const mostRemembered = 10_000;

/** Due is what was confirmed 15 minutes ago, or is looked at no more since a moment: it was released, or has ended. */
export function createClosing(now: () => number): Closing {
  const open = new Map<string, { readonly operation: Operation; readonly goneAt: number | undefined }>();
  const closed = new Set<string>();
  return {
    due(watched) {
      const there = new Set(watched.map(({ id }) => id));
      for (const operation of watched) {
        if (!closed.has(operation.id)) open.set(operation.id, { operation, goneAt: undefined });
      }
      for (const [id, one] of open) {
        if (!there.has(id) && one.goneAt === undefined) open.set(id, { ...one, goneAt: now() });
      }
      return [...open.values()].filter((one) => isDue(one, now())).map(({ operation }) => operation);
    },
    waiting: () => [...open.values()].map(({ operation }) => operation),
    done({ id }) {
      open.delete(id);
      closed.add(id);
      const [oldest] = closed;
      if (closed.size > mostRemembered && oldest !== undefined) closed.delete(oldest);
    },
  };
}

function isDue(
  { operation, goneAt }: { readonly operation: Operation; readonly goneAt: number | undefined },
  nowMs: number,
): boolean {
  const { confirmed, origin } = operation;
  return goneAt === undefined ? nowMs >= (confirmed?.at ?? origin.at) + aroundMs + afterMs : nowMs >= goneAt + afterMs;
}
