import type { FlowFormat } from "./record.ts";

/** How a source stands, for /np status, /np flows and metrics. */
export type FlowSourceState = {
  /** As configuration names it. */
  readonly name: string;
  readonly cluster: string;
  /** `push` is the receiver, known by what came through it. */
  readonly kind: "hubble-relay" | "goldmane" | "loki" | "push";
  /** `elsewhere`: another replica has it. */
  readonly state: "connected" | "connecting" | "elsewhere" | "failing";
  /** Why it fails, in words, without secrets. */
  readonly why: string | undefined;
  readonly formats: readonly FlowFormat[];
  readonly lastFlowMs: number | undefined;
  /** Up to which event it told, by the events' own time: from there another replica goes on. Absent: it told none. */
  readonly positionMs?: number | undefined;
};

/** A source that is pulled, and reconnects by itself for as long as it is not stopped. */
export type FlowSource = {
  state(): FlowSourceState;
  stop(): Promise<void>;
};
