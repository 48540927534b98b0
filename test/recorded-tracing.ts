import { AsyncLocalStorage } from "node:async_hooks";
import type { SpanAttributes, Tracing } from "../src/commands/tracing.ts";

/** What a span was called, with those above it, and what it said at its end. */
export type Recorded = { readonly way: string; readonly said: Record<string, unknown> };

/** A Tracing that only remembers, in the order in which spans began. */
export function recordedTracing(): Tracing & { readonly recorded: readonly Recorded[] } {
  const recorded: Recorded[] = [];
  const current = new AsyncLocalStorage<Recorded>();
  const begin = <T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T> => {
    const above = current.getStore();
    const one = { way: above === undefined ? name : `${above.way} > ${name}`, said: { ...attributes } };
    recorded.push(one);
    return current.run(one, work);
  };
  return {
    recorded,
    phase: ({ name, attributes }, work) => begin(name, attributes, work),
    span: begin,
    past: () => undefined,
    set: (attributes) => void Object.assign(current.getStore()?.said ?? {}, attributes),
    event: () => undefined,
  };
}
