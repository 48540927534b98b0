import { canonicalHash } from "./canonical.ts";
import type { ManifestReference } from "./manifest.ts";
import type { Operation } from "./operation.ts";
import type { Principal } from "./principal.ts";

/**
 * How the cluster differs from what an operation holds in force. `selector-back`: a policy of somebody else that was changed
 * to leave quarantined pods out, and does not any more. `ttl-shortened`: an allowance is to end before the time that was granted. `escaped`: a pod was relabelled, so that what selected it does not. `re-opened`: all policies together leave open what they did not.
 */
export type DriftKind =
  | "object-changed"
  | "object-deleted"
  | "marks-off"
  | "ttl-altered"
  | "ttl-shortened"
  | "label-off"
  | "labels-back"
  | "label-copied"
  | "selector-back"
  | "escaped"
  | "re-opened";

export type Drift = {
  /** See driftId: the same difference has the same, whoever sees it and however often. */
  readonly id: string;
  readonly kind: DriftKind;
  /** A clause, names from outside in it: `NetworkPolicy payments/bulkhead-q-1 is gone`. */
  readonly what: string;
  /** False: only perhaps. */
  readonly sure: boolean;
  /** The object that differs; undefined for what is about a pod, and for what re-opens. */
  readonly object?: ManifestReference;
  /** Of what re-opens: the policy, as ResidualAllow names it. */
  readonly policy?: string;
};

/** A drift as the operation remembers it. Times in milliseconds since the epoch. */
export type DriftRecord = Drift & {
  /** `restored` by Bulkhead; `gone` by itself, or by somebody else; `accepted` and still there. */
  readonly state: "open" | "accepted" | "restored" | "gone";
  /** Of the time that counts now. */
  readonly since: number;
  /** Which time it is that it came, from 1. */
  readonly times: number;
  /** Who made it, as far as that is known, in words. */
  readonly who?: string;
  /** The revision in the history of policies that made it, where that is known. */
  readonly revision?: string;
  /** Who accepted it or put it back; undefined where nobody did, or Bulkhead by itself. */
  readonly by?: Principal;
  /** Bulkhead put it back by itself so often as it may, and it came again. */
  readonly fights?: number;
  /** When it left `open`. */
  readonly ended?: number;
  /** When Bulkhead began to put it back: for a while after that nobody else tells that it went away. */
  readonly restoringAt?: number;
  /** When a replica began to tell its state, and when somebody had been told. */
  readonly tellingAt?: number;
  readonly toldAt?: number;
};

/** All that is remembered of how an operation drifted. */
export type Drifting = {
  readonly records: readonly DriftRecord[];
  /** How often Bulkhead has put something back by itself. */
  readonly restores?: Partial<Readonly<Record<DriftKind, number>>>;
};

/** Whether Bulkhead puts back by itself what came now, having done so less than `most` times for its kind. */
export function mayRestore({ restores }: Drifting, { kind }: Pick<Drift, "kind">, most: number): boolean {
  return (restores?.[kind] ?? 0) < most;
}

/** `d-…`, of what differs and how: 35 bits, told apart within one operation only. */
export function driftId(kind: DriftKind, ...how: readonly unknown[]): string {
  const digest = Buffer.from(canonicalHash([kind, ...how.map((each) => each ?? null)]), "hex");
  const letters = [...digest.subarray(0, 7)].map((byte) => "0123456789abcdefghjkmnpqrstvwxyz"[byte % 32]);
  return `d-${letters.join("")}`;
}

/** What is there now, those that somebody accepted too; most important first. */
export function standingDrift({ drift, state }: Pick<Operation, "drift" | "state">): readonly DriftRecord[] {
  if (state !== "in-force" || drift === undefined) return [];
  const there = drift.records.filter((one) => one.state === "open" || one.state === "accepted");
  return there.toSorted((a, b) => rank(a) - rank(b));
}

/** Whether it takes away what a containment claims. */
export function breaksIsolation({ kind }: Pick<Drift, "kind">): boolean {
  return !harmless.has(kind);
}

const harmless: ReadonlySet<DriftKind> = new Set(["marks-off", "ttl-altered", "ttl-shortened", "label-copied"]);

function rank(drift: Drift): number {
  return (breaksIsolation(drift) ? 0 : 2) + (drift.sure ? 0 : 1);
}
