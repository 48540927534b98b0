import type { Endpoint } from "../policy/endpoint.ts";
import type { Manifest } from "../policy/manifest.ts";
import type { LabelSelector, Labels } from "../policy/objects.ts";

/** Whom to deny everything, in both directions, but the endpoints: what each engine makes its objects from. */
export type Denial = {
  /** The operation's id; names and marks follow from it. */
  readonly operation: string;
  readonly namespace: string;
  /** Pods of the namespace; empty selects all of them. */
  readonly subject: LabelSelector;
  /** The only allows. */
  readonly endpoints: readonly Endpoint[];
  /** Go onto every object as they are. */
  readonly labels: Labels;
  readonly annotations: Labels;
};

/** What an engine writes for it. */
export type Denies = {
  /** In the order in which they are to be written; removed in the reverse. */
  readonly objects: readonly Manifest[];
  /** What of the denial this engine cannot express, as sentences: it then denies more, never less. */
  readonly notes: readonly string[];
};
