import type { ClientReadableStream } from "@grpc/grpc-js";
import { FlowTrouble } from "./flow-trouble.ts";
import type { Funnel } from "./funnel.ts";

/** A server's stream that is read for as long as the funnel has room. */
export type Subscription = {
  /** Resolves with the first message, or at the end. */
  readonly begun: Promise<void>;
  /** Rejects at the end, however that came. */
  readonly ended: Promise<never>;
  cancel(): void;
};

/** Reads every message of a stream into `tell`. */
export function subscribe(
  open: () => ClientReadableStream<object>,
  funnel: Funnel,
  tell: (message: object) => void,
): Subscription {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);
  const stream = open();
  // First, so that it waits from the beginning where the funnel is full.
  const detach = funnel.attach(stream);
  const end = (error: unknown) => {
    detach();
    begun.resolve();
    ended.reject(error);
  };
  stream.on("data", (message: object) => {
    begun.resolve();
    tell(message);
  });
  stream.on("error", end);
  stream.on("end", () => end(new FlowTrouble("the server ended the stream")));
  return { begun: begun.promise, ended: ended.promise, cancel: () => stream.cancel() };
}
