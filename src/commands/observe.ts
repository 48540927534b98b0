import { randomUUID } from "node:crypto";
import { createEvidence, type Evidence } from "../flows/evidence.ts";
import type { Interests } from "../flows/interests.ts";
import type { Sighting } from "../flows/sighting.ts";
import type { Operation } from "../policy/operation.ts";
import type { Observations } from "../scheduler/observations.ts";
import type { Outlet } from "./desk.ts";
import { tellsOf } from "./flow-tells.ts";
import { createClosing } from "./observe-closing.ts";
import { recordEvidence } from "./observe-evidence.ts";
import { createNotes, type Notes } from "./observe-notes.ts";
import { settleObserved } from "./observe-settle.ts";
import { createWatches } from "./observe-watches.ts";
import type { Services } from "./services.ts";

/** What one replica makes of the flows that come to it, for operations in force. */
export type Observer = {
  /** Never throws, and keeps nobody waiting. */
  saw(sighting: Sighting): void;
  /**
   * Looks up what is in force, asks sources for its flows, and stores and tells what was seen, by any replica; to be called
   * every second or two. Throws where the store or a cluster is away: nothing that was seen is lost by that.
   */
  sweep(): Promise<void>;
  /** Resolves when what was seen is stored, or could not be. */
  stop(): Promise<void>;
};

export type ObserverParts = {
  readonly services: Services & { readonly observations: Observations };
  readonly outletFor: (operation: Operation) => Outlet;
  readonly interests: Interests;
  readonly evidence?: Evidence;
};

/** An observer of all clusters. What it has seen and not stored is bounded by what is in force. */
export function createObserver(parts: ObserverParts): Observer {
  const { services, interests, evidence = createEvidence() } = parts;
  const notes = createNotes(randomUUID);
  const watches = createWatches(services, evidence, notes);
  const tellsForwarded = new Set<string>();
  const queue = createQueue(parts, notes, tellsForwarded);
  const closing = createClosing(() => services.now());
  const report = (error: unknown): void => services.meter({ kind: "error", where: "observe", message: String(error) });
  return {
    saw(sighting) {
      const { cluster, record } = sighting;
      if (record.verdict.kind === "forwarded") {
        tellsForwarded.add(cluster);
        // Of all others there are far too many.
        if (watches.concernedBy(sighting).length === 0) return;
      }
      evidence.add(sighting);
      const { count, atLeast, fromMs, toMs } = record;
      const seen = { count, atLeast, firstAt: fromMs, lastAt: toMs };
      for (const one of watches.near(sighting)) if (notes.take(one, sighting, seen)) queue.soon(one.operation, report);
    },
    async sweep() {
      const live = await services.operations.list({ live: true });
      const looked = await Promise.allSettled([...services.clusters.keys()].map((name) => watches.look(name, live)));
      interests.set(watches.interests());
      const all = watches.all().map(({ operation }) => operation);
      const due = closing.due(all);
      notes.keep(new Set([...all, ...closing.waiting()].map(({ id }) => id)));
      const settled = await Promise.allSettled(all.map((one) => queue.next(one)));
      const closed = await Promise.allSettled(due.map((one) => queue.close(one).then(() => closing.done(one))));
      for (const one of [...looked, ...settled, ...closed]) if (one.status === "rejected") throw one.reason;
    },
    async stop() {
      interests.set([]);
      await Promise.allSettled(watches.all().map(({ operation }) => queue.next(operation)));
    },
  };
}

type Queue = {
  /** Stores and tells what was seen of the operation, after what is under way for it. */
  next(operation: Operation): Promise<void>;
  /** Stores what was seen of one that is not looked at any more, or long enough, and writes down what was around it. */
  close(operation: Operation): Promise<void>;
  /** As `next`, at once, unless something is under way: the sweep does it then. */
  soon(operation: Operation, report: (error: unknown) => void): void;
};

function createQueue(parts: ObserverParts, notes: Notes, tellsForwarded: ReadonlySet<string>): Queue {
  const { services, outletFor } = parts;
  const running = new Map<string, Promise<void>>();
  const store = async (id: string): Promise<void> => {
    const portion = notes.portion(id);
    if (portion === undefined) return;
    await services.observations.add(id, portion);
    notes.stored(id);
  };
  const settle = async ({ id, target: { cluster } }: Operation): Promise<void> => {
    await store(id);
    const tells = tellsOf(services, cluster, tellsForwarded.has(cluster));
    await settleObserved({ services, outletFor, tells }, id, await services.observations.read(id));
  };
  const next = (operation: Operation): Promise<void> => {
    const { id } = operation;
    const before = running.get(id) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => settle(operation));
    running.set(id, mine);
    const forget = (): void => {
      if (running.get(id) === mine) running.delete(id);
    };
    mine.then(forget, forget);
    return mine;
  };
  return {
    next,
    async close(operation) {
      await running.get(operation.id)?.catch(() => undefined);
      await store(operation.id);
      await recordEvidence(services, operation, await services.observations.read(operation.id));
    },
    soon(operation, report) {
      if (!running.has(operation.id)) next(operation).catch(report);
    },
  };
}
