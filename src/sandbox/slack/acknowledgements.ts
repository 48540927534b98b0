/** What became of one delivery of an envelope. */
export type Acknowledgement =
  | { readonly kind: "acknowledged"; readonly afterMs: number; readonly payload: unknown }
  /** Nothing within the limit. */
  | { readonly kind: "timed-out" }
  /** By HTTP: an answer that is not 200. */
  | { readonly kind: "refused"; readonly status: number; readonly body: string }
  /** No connection was open, or the request URL could not be reached. */
  | { readonly kind: "no-connection" };

/** Deliveries under way. An envelope may be under way several times: its acknowledgements settle the oldest first. */
export type PendingAcknowledgements = {
  /** Settles when the envelope of that id is acknowledged, or the limit has passed. */
  expect(envelopeId: string): Promise<Acknowledgement>;
  acknowledge(envelopeId: string, payload: unknown): void;
  /** Everything under way counts as timed out. */
  giveUp(): void;
};

type Pending = { readonly settle: (acknowledgement: Acknowledgement) => void; readonly sentAt: number };

/** `limitMs`, in real time. */
export function createPendingAcknowledgements(limitMs: number): PendingAcknowledgements {
  const queues = new Map<string, Pending[]>();
  const take = (envelopeId: string, which?: Pending): Pending | undefined => {
    const queue = queues.get(envelopeId) ?? [];
    const [taken] = queue.splice(which === undefined ? 0 : queue.indexOf(which), 1);
    if (queue.length === 0) queues.delete(envelopeId);
    return taken;
  };
  return {
    expect: (envelopeId) =>
      new Promise((resolve) => {
        const limit = setTimeout(() => take(envelopeId, delivery)?.settle({ kind: "timed-out" }), limitMs);
        const settle: Pending["settle"] = (acknowledgement) => {
          clearTimeout(limit);
          resolve(acknowledgement);
        };
        const delivery = { settle, sentAt: performance.now() };
        queues.set(envelopeId, [...(queues.get(envelopeId) ?? []), delivery]);
      }),
    acknowledge: (envelopeId, payload) => {
      const delivery = take(envelopeId);
      delivery?.settle({ kind: "acknowledged", afterMs: performance.now() - delivery.sentAt, payload });
    },
    giveUp: () => {
      for (const { settle } of [...queues.values()].flat()) settle({ kind: "timed-out" });
      queues.clear();
    },
  };
}
