/** One record: a ConfigMap of the bot's namespace with one JSON document in it. */
export type StoredRecord = {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The JSON document under the key `record`. */
  readonly text: string;
};

/**
 * Durable records in ConfigMaps of the bot's own namespace, for an operation that starts where Redis cannot be
 * reached. Labelled `bulkhead.dev/record=operation`.
 */
export type Records = {
  /** POST; `exists` where the name is taken already. */
  create(name: string, text: string): Promise<"created" | "exists">;
  get(name: string): Promise<StoredRecord | undefined>;
  list(): Promise<readonly StoredRecord[]>;
  /** Conditional on the resourceVersion that was read. */
  replace(record: StoredRecord, text: string): Promise<"replaced" | "conflict" | "gone">;
  remove(record: StoredRecord): Promise<"deleted" | "conflict" | "gone">;
};
