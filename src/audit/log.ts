import type { ChainedEntry, ChainHead, NewEntry } from "./entry.ts";

export type AuditFilter = {
  readonly sinceMs?: number;
  readonly namespace?: string;
  /** A principal's key. */
  readonly actor?: string;
  readonly operation?: string;
  /** The newest so many; all where absent. */
  readonly limit?: number;
};

/** What became of an append: in the chain now, or kept where the bot will find it (`pending`). */
export type Appended =
  | { readonly kind: "chained"; readonly entry: ChainedEntry }
  | { readonly kind: "pending"; readonly id: string };

/** Append only. Throws where the store cannot be reached: then the entry is not durable, and no write may follow. */
export type AuditLog = {
  /** Durable when it returns. An id that is in the chain already is returned as it stands there. */
  append(entry: NewEntry): Promise<Appended>;
  head(): Promise<ChainHead>;
  /** The entry of that id. */
  find(id: string): Promise<ChainedEntry | undefined>;
  /** Oldest first. */
  read(filter: AuditFilter): Promise<readonly ChainedEntry[]>;
};
