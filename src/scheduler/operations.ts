import type { Operation } from "../policy/operation.ts";

/** `duplicate`: this delivery was recorded before, as `operation`. `collision`: the id belongs to another delivery. */
export type Accepted =
  | { readonly kind: "accepted" | "duplicate"; readonly operation: Operation }
  | { readonly kind: "collision" };

export type OperationFilter = {
  readonly namespace?: string;
  /** Operations that are neither ended nor merely planned: states `running` and `in-force`. */
  readonly live?: boolean;
};

/**
 * The operations that were accepted. What is returned as stored survives a crash of any replica. Throws where the
 * store cannot be reached: then nothing was accepted.
 */
export type Operations = {
  /** Records the operation and its delivery in one atomic step. */
  accept(operation: Operation): Promise<Accepted>;
  get(id: string): Promise<Operation | undefined>;
  /** Ids that begin with the text, at most 10. */
  startingWith(prefix: string): Promise<readonly string[]>;
  /** Newest first. */
  list(filter: OperationFilter): Promise<readonly Operation[]>;
  /**
   * Stores `next` if the stored revision is still `next.revision`; the stored one then has the next revision.
   * Undefined where somebody else was first: read again and decide again.
   */
  replace(next: Operation): Promise<Operation | undefined>;
  /** Whether the delivery of a command that records no operation is seen for the first time (kept for 1 h). */
  firstDelivery(delivery: string): Promise<boolean>;
};
