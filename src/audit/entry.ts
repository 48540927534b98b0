import type { Principal } from "../policy/principal.ts";

/**
 * `intent` before the first write, `outcome` after the last (`ok` tells), `refusal` of a known person, `adopted` where
 * the bot took over what a terminal had begun without Redis. Of an allowance: `ended` once nothing of it is left,
 * `rebuilt` where its record was lost and made anew of its objects, `altered` where somebody else changed those.
 * `drift` where the cluster was found not to be as an operation holds it, where that was over, and where somebody accepted it.
 * `mute` where somebody had a line of denied flows listed to nobody for a while, or ended that.
 * `watch` where somebody had denied flows told in a channel by itself, and where that ended.
 * `observed` where flows showed for the first time that something was denied, got through, or used an allowance.
 * `incident` where a channel was bound to one or unbound.
 * `approval-asked` and what became of it: `approved` by one, `denied`, `withdrawn` by whoever asked, `void` since the plan
 * is another one now, `expired`. `reviewed` where another person looked at what was done without what others should have agreed to.
 * `forgery` is a sample of calls that no known person made. `chain` where the chain itself is the subject. Newer versions
 * add kinds: whoever reads takes those that it does not know.
 */
export type EntryKind =
  | "intent"
  | "outcome"
  | "refusal"
  | "adopted"
  | "ended"
  | "rebuilt"
  | "altered"
  | "drift"
  | "observed"
  | "incident"
  | "mute"
  | "watch"
  | "forgery"
  | "chain"
  | "reviewed"
  | "approval-asked"
  | "approved"
  | "denied"
  | "withdrawn"
  | "void"
  | "expired";

/** What a caller writes; JSON values only. Ids are deterministic (`q-7f3k:intent`), so that a repeated write is one. */
export type NewEntry = {
  readonly id: string;
  readonly kind: EntryKind;
  /** UTC, ISO 8601 with milliseconds. */
  readonly at: string;
  readonly operation?: string;
  readonly incident?: string;
  readonly verb: string;
  readonly cluster?: string;
  readonly namespace?: string;
  readonly object?: string;
  readonly actor: Principal;
  readonly where: { readonly source: string; readonly channel?: string; readonly permalink?: string };
  /** The command as typed. */
  readonly command?: string;
  readonly planHash?: string;
  readonly reason?: string;
  readonly ok?: boolean;
  /** One line for people. */
  readonly summary: string;
  /** Objects before and after, the snapshot with its hash, step times: whatever proves the entry. */
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly replica: string;
};

/**
 * An entry in the chain: `hash` is the SHA-256 (hex) of the canonical JSON (RFC 8785) of the whole entry without
 * `hash`; `prev` is the hash of the entry before, and of the first entry the 64 zeros.
 */
export type ChainedEntry = NewEntry & {
  readonly v: 1;
  /** 1 for the first. */
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
};

/** The end of the chain: the newest entry's sequence number and hash; seq 0 for an empty chain. */
export type ChainHead = { readonly seq: number; readonly hash: string };
