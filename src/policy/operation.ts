import { createHash } from "node:crypto";
import type { Drifting } from "./drift.ts";
import type { Observed } from "./observed.ts";
import type { Plan } from "./plan.ts";
import type { Principal } from "./principal.ts";
import type { Target } from "./target.ts";

export type OperationKind = "quarantine" | "lockdown" | "release" | "allowance" | "undo";

/**
 * `accepted` (recorded, nothing decided) → `planned` (the plan is shown) → `running` (confirmed, intent in the audit
 * log) → `in-force` (a quarantine or lockdown that holds) → `done` (a release that ended, a quarantine or lockdown that was lifted).
 * `awaiting-second` lies between planned and running where a second confirmation is needed, `awaiting-approval` where other
 * people must agree. `refused`, `cancelled`, `failed` are ends; `failed` may have left objects behind, and its result says
 * which (see mayHaveLeft).
 */
export type OperationState =
  | "accepted"
  | "planned"
  | "awaiting-second"
  | "awaiting-approval"
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
  /** When Slack had its acknowledgement, milliseconds since the epoch; undefined at a terminal, and where that failed. */
  readonly acknowledgedAt?: number;
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
  /** Of a containment: what its policies left open then; undefined in early records, for which the plan's word counts. */
  readonly leaves?: readonly LeftOpen[];
};

/** What a policy leaves open of a containment by itself, whoever is there to use it; `how` is a digest. */
export type LeftOpen = { readonly policy: string; readonly how: string };

/**
 * One thing that a person asked for, from request to end. Stored with a format version; `revision` rises by one with
 * each stored change and is what compare-and-set compares.
 */
export type Operation = {
  /**
   * 2 since plans may write objects of several APIs: a replica that knows 1 alone would end only half of one. 3 since there
   * are allowances, and operations that wait for other people. 4 since there are undos.
   */
  readonly version: 1 | 2 | 3 | 4;
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
  /** Of an allowance, from its confirmation on. */
  readonly allowance?: AllowanceRecord;
  /** Where other people must agree before it begins. */
  readonly approval?: Approval;
  /** Where the cluster is, or was, not as the operation holds it in force. */
  readonly drift?: Drifting;
  /** What flows have shown of it since it is in force; undefined: nobody has looked. */
  readonly observed?: Observed;
  /** Of an undo after which Flux leaves policies alone: who ended that, and when. */
  readonly fluxResumed?: { readonly by: Principal; readonly at: number };
  /** It was done without what others should have agreed to, or its template asks for it: somebody else is to look at it. */
  readonly debt?: Debt;
};

/** How long an allowance holds. Ends are by the API server's clock, milliseconds since the epoch. */
export type AllowanceRecord = {
  /** From the creation of its objects on. */
  readonly ttlSeconds: number;
  /** With all extensions. */
  readonly maxSeconds: number;
  /** Of the object that was created first; undefined until one is. */
  readonly endsAt?: number;
  /** An extension that may be on the objects already; recorded before it is. */
  readonly extending?: { readonly ttlSeconds: number; readonly by: Principal; readonly at: number };
  /** Those that hold, oldest first: each can be taken back. Undefined where there is none, and in early records. */
  readonly extensions?: readonly Extension[];
  /** How many times it was asked before the end whether it is still needed. */
  readonly asked?: number;
  /** Nothing of it is in the cluster any more. */
  readonly ended?: AllowanceEnd;
};

/** From one time in all to another, in seconds. */
export type Extension = { readonly from: number; readonly to: number; readonly by: Principal; readonly at: number };

export type AllowanceEnd = {
  readonly at: number;
  /** After its end; negative where a person ended it before. */
  readonly lateMs: number;
  /** `gone`: somebody else deleted it. `unseen`: it failed, and nobody ever saw anything of it. */
  readonly why: "expired" | "ended" | "gone" | "unseen";
  /** Who ended it early. */
  readonly by?: Principal;
};

/** Who must agree, and who has; bound to one plan. Times in milliseconds since the epoch. */
export type Approval = {
  readonly needed: number;
  /** Keys of those who count (keysOf); empty: whoever has the right to approve. */
  readonly from: readonly string[];
  readonly planHash: string;
  readonly askedAt: number;
  readonly expiresAt: number;
  readonly given: readonly { readonly by: Principal; readonly at: number }[];
  /** Where it ended without enough of them. */
  readonly ended?: ApprovalEnd;
};

export type ApprovalEnd = {
  /** `withdrawn` by whoever asked; `void`: the plan is not the same any more. */
  readonly as: "denied" | "withdrawn" | "void" | "expired";
  /** Undefined where time or the cluster ended it. */
  readonly by?: Principal;
  readonly at: number;
  /** What happened, one sentence each. */
  readonly why: readonly string[];
};

/** What another person is still to look at, and who did. */
export type Debt = {
  /** A clause: `break-glass`, `its template asks for a review`. */
  readonly because: string;
  readonly since: number;
  readonly reviewed?: { readonly by: Principal; readonly at: number; readonly note: string };
};

/**
 * Whether the operation is neither ended nor merely planned. A quarantine that was confirmed and failed has not ended:
 * what it may have left is still to be released. One with a debt is not forgotten before somebody has looked at it, and
 * one that waits for other people is open until it expires.
 */
export function isLive(operation: Operation): boolean {
  const { state } = operation;
  const open = state === "running" || state === "in-force" || state === "awaiting-approval";
  return open || mayHaveLeft(operation) || owesReview(operation);
}

/** Whether somebody else is still to look at what was done; of what was confirmed and did not begin nothing was. */
export function owesReview({ debt, confirmed, state }: Operation): boolean {
  if (debt === undefined || debt.reviewed !== undefined || confirmed === undefined) return false;
  return !isUndecided(state) && state !== "cancelled" && state !== "refused";
}

/** Nothing of it was written, and whether it will be is still for people to say. */
export function isUndecided(state: OperationState): boolean {
  return state === "planned" || state === "awaiting-second" || state === "awaiting-approval";
}

/** Whether operations of this kind cut something off, and stay in force until somebody releases them. */
export function isContaining(kind: OperationKind): boolean {
  return kind === "quarantine" || kind === "lockdown";
}

/** Whether it was to write something and failed after its confirmation, so that objects of it may be in the cluster. */
export function mayHaveLeft({ kind, state, confirmed, steps, allowance }: Operation): boolean {
  if (kind === "release" || kind === "undo" || state !== "failed" || allowance?.ended !== undefined) return false;
  // Early records have no `confirmed`, only the step.
  return confirmed !== undefined || steps.some(({ step }) => step === "confirmed");
}

const letterOf: Record<OperationKind, string> = {
  quarantine: "q",
  lockdown: "l",
  release: "r",
  allowance: "a",
  undo: "u",
};

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
  return /^[alqru]-[0-9a-hjkmnp-tv-z]{1,7}$/.test(text);
}
