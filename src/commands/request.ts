import type { Principal } from "../policy/principal.ts";

/** One command as it came to an entrance. Nothing of Slack goes further in than this. */
export type Request = {
  readonly principal: Principal;
  readonly source: "slack" | "terminal" | "in-pod";
  readonly channel: string | undefined;
  /** What was typed after `/np`. */
  readonly text: string;
  /** Arrival, milliseconds since the epoch. */
  readonly at: number;
  /** When the entrance had acknowledged it; undefined where nobody waits for that, or it failed. */
  readonly acknowledgedAt?: number;
  /** Equal for every delivery of the same command (Slack's trigger_id; a random one at a terminal). */
  readonly delivery: string;
};

/** A press on a button of a card. */
export type Press = Omit<Request, "text"> & {
  readonly action: string;
  /** The opaque id that the button carried; not trusted to exist. */
  readonly operation: string;
  /** The message that the button was on, or the one that it was below, to be compared with the stored card. */
  readonly card: { readonly channel: string; readonly ts: string } | undefined;
};

/**
 * The same with U+FFFD for half characters (lone surrogates: Slack cuts names). They have no canonical JSON (RFC 8785), so
 * that whoever typed or bore one could neither be audited nor act.
 */
export function wellFormed<T extends Request | Press>(asked: T): T {
  const { principal } = asked;
  const text = "text" in asked ? { text: asked.text.toWellFormed() } : {};
  if (principal.kind !== "slack" || principal.displayName === undefined) return { ...asked, ...text };
  return { ...asked, ...text, principal: { ...principal, displayName: principal.displayName.toWellFormed() } };
}
