import { createHash } from "node:crypto";
import type { Plan } from "./plan.ts";
import type { Principal } from "./principal.ts";
import type { Target } from "./target.ts";

export type OperationKind = "quarantine" | "lockdown" | "release";

/**
 * `accepted` (recorded, nothing decided) → `planned` (the plan is shown) → `running` (confirmed, intent in the audit
 * log) → `in-force` (a quarantine or lockdown that holds) → `done` (a release that ended, a quarantine or lockdown that was lifted).
 * `awaiting-second` lies between planned and running where a second confirmation is needed. `refused`, `cancelled`,
 * `failed` are ends; `failed` may have left objects behind, and its result says which (see mayHaveLeft).
 */
export type OperationState =
  | "accepted"
  | "planned"
  | "awaiting-second"
  | "running"
  | "in-force"
  | "done"
  | "refused"
  | "cancelled"
  | "failed";

/** Where the durable card of an operation lies in Slack; both are strings there. */
export type CardReference = { readonly channel: string; readonly ts: string; readonly permalink?: string };

/** Where and when it was asked for. */
export type Origin = {
  readonly source: "slack" | "terminal" | "in-pod";
  readonly channel: string | undefined;
  /** The command as typed, control characters stripped. */
  readonly command: string;
  /** Arrival, milliseconds since the epoch. */
  readonly at: number;
};

/** Who pressed Confirm, when (milliseconds since the epoch), and which try this is: 1, and one more with each retry. */
export type Confirmation = { readonly by: Principal; readonly at: number; readonly attempt: number };

/** A step that was taken, with its moment in milliseconds since the epoch. */
export type StepTime = { readonly step: string; readonly at: number };

/** What the last write of the operation found; shown on the card and in `status`. */
export type OperationResult = {
  readonly headline: string;
  readonly tone: "good" | "warning" | "bad";
  readonly lines: readonly string[];
  /** Where the outcome stands in the audit chain, in words. */
  readonly audited: string;
};

/**
 * One thing that a person asked for, from request to end. Stored with a format version; `revision` rises by one with
 * each stored change and is what compare-and-set compares.
 */
export type Operation = {
  /** 2 since plans may write objects of several APIs: a replica that knows 1 alone would end only half of one. */
  readonly version: 1 | 2;
  readonly id: string;
  readonly kind: OperationKind;
  readonly state: OperationState;
  readonly revision: number;
  /** The delivery that it came by; a second delivery of the same key is the same operation. */
  readonly delivery: string;
  readonly principal: Principal;
  readonly origin: Origin;
  /** What was asked for: as typed while `accepted`, a pod in full from `planned` on. */
  readonly target: Target;
  readonly reason: string;
  readonly incident?: string;
  /** Whether the channel is bound to an incident could not be read when this was asked for. */
  readonly incidentUnread?: true;
  /** When the card asks whether the quarantine is still needed, milliseconds since the epoch. */
  readonly reviewAt?: number;
  /** After how long it asks again when somebody says that it is still needed, milliseconds. */
  readonly reviewEveryMs?: number;
  /** When the card last asked. */
  readonly reviewAskedAt?: number;
  readonly plan?: Plan;
  /** From `running` on; the last one where a release that did not begin is asked again. */
  readonly confirmed?: Confirmation;
  readonly card?: CardReference;
  readonly steps: readonly StepTime[];
  readonly result?: OperationResult;
  /** It lies in a ConfigMap of the bot's namespace, since Redis was away; gone again once it is in Redis. */
  readonly kept?: boolean;
  /** The quarantine or lockdown that this release lifts. */
  readonly lifts?: string;
  /** The release that was confirmed last and ends this quarantine; it counts while that release runs. */
  readonly releasing?: string;
  /** The release that lifted this quarantine. */
  readonly liftedBy?: string;
};

/**
 * Whether the operation is neither ended nor merely planned. A quarantine that was confirmed and failed has not ended:
 * what it may have left is still to be released.
 */
export function isLive(operation: Operation): boolean {
  return operation.state === "running" || operation.state === "in-force" || mayHaveLeft(operation);
}

/** Whether operations of this kind cut something off, and stay in force until somebody releases them. */
export function isContaining(kind: OperationKind): boolean {
  return kind !== "release";
}

/** Whether it was to cut something off and failed after its confirmation, so that objects of it may be in the cluster. */
export function mayHaveLeft({ kind, state, confirmed, steps }: Operation): boolean {
  if (!isContaining(kind) || state !== "failed") return false;
  // Early records have no `confirmed`, only the step.
  return confirmed !== undefined || steps.some(({ step }) => step === "confirmed");
}

const letterOf: Record<OperationKind, string> = { quarantine: "q", lockdown: "l", release: "r" };

/**
 * The id of an operation, from its delivery: the same delivery has the same id on every replica, so that the
 * acknowledgement can name it before anything is stored. 35 bits; a collision is refused when it is recorded.
 */
export function operationId(kind: OperationKind, delivery: string): string {
  const digest = createHash("sha256").update(`${kind}\n${delivery}`).digest();
  const letters = [...digest.subarray(0, 7)].map((byte) => "0123456789abcdefghjkmnpqrstvwxyz"[byte % 32]);
  return `${letterOf[kind]}-${letters.join("")}`;
}

/** Whether the text has the form of an operation id or of the beginning of one (`q-7f3k`). */
export function isOperationIdPrefix(text: string): boolean {
  return /^[lqr]-[0-9a-hjkmnp-tv-z]{1,7}$/.test(text);
}
