import { z } from "zod";
import type { ChainedEntry } from "../audit/entry.ts";

/** Picks the entries of one incident out of a chain that is walked once, from its beginning. */
export type Picker = {
  /** The next entry as it was read, whatever it is. */
  take(entry: unknown): void;
  /** Those that belong to the incident, in the order of the chain. */
  picked(): readonly ChainedEntry[];
};

const text = z.string();
const shape = z.looseObject({
  id: text,
  kind: text,
  at: text,
  verb: text,
  seq: z.number(),
  hash: text,
  summary: text,
  operation: text.optional(),
  incident: text.optional(),
  cluster: text.optional(),
  namespace: text.optional(),
  object: text.optional(),
  command: text.optional(),
  reason: text.optional(),
  ok: z.boolean().optional(),
  actor: z.looseObject({ kind: text }),
  where: z.looseObject({ channel: text.optional(), permalink: text.optional() }),
  detail: z.looseObject({}).optional(),
});

/**
 * An entry belongs to an incident where it names it, where it is of an operation that does (or of the release that ends
 * one), and where it is a refusal in a channel while that was bound to it, or of a command that names such an operation.
 */
export function createPicker(incident: string): Picker {
  const picked: ChainedEntry[] = [];
  const operations = new Set<string>();
  const channels = new Set<string>();
  return {
    take(value) {
      if (!shape.safeParse(value).success) return;
      const entry = value as ChainedEntry;
      if (entry.kind === "incident") bind(entry, incident, channels);
      if (!belongs(entry, incident, operations) && !refusedFor(entry, operations, channels)) return;
      picked.push(entry);
      if (entry.operation !== undefined) operations.add(entry.operation);
    },
    picked: () => picked,
  };
}

/** The quarantine that the entry's plan ends. */
export function liftedBy({ detail }: ChainedEntry): string | undefined {
  const plan = detail?.["plan"];
  const lifts = typeof plan === "object" && plan !== null && "lifts" in plan ? plan.lifts : undefined;
  return typeof lifts === "string" ? lifts : undefined;
}

function bind(entry: ChainedEntry, incident: string, channels: Set<string>): void {
  const channel = channelOf(entry);
  if (entry.detail?.["after"] === incident) channels.add(channel);
  else channels.delete(channel);
}

function belongs(entry: ChainedEntry, incident: string, operations: ReadonlySet<string>): boolean {
  if (entry.incident === incident || (entry.kind === "incident" && entry.detail?.["before"] === incident)) return true;
  const lifted = liftedBy(entry);
  return (
    (entry.operation !== undefined && operations.has(entry.operation)) ||
    (lifted !== undefined && operations.has(lifted))
  );
}

function refusedFor(entry: ChainedEntry, operations: ReadonlySet<string>, channels: ReadonlySet<string>): boolean {
  if (entry.kind !== "refusal") return false;
  const named = entry.command?.match(/\b[alqr]-[0-9a-z]{7}\b/g) ?? [];
  return named.some((id) => operations.has(id)) || channels.has(channelOf(entry));
}

/** Channel ids are of one workspace; a terminal has none. */
function channelOf({ actor, where }: ChainedEntry): string {
  return actor.kind === "slack" && where.channel !== undefined ? `${actor.team}/${where.channel}` : "";
}
