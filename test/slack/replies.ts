import type { Button, Reply } from "../../src/commands/reply.ts";

/** A card with nothing in it, and what differs. */
export function card(differing: Partial<Reply> = {}): Reply {
  return {
    shape: "card",
    headline: "Quarantine payments/checkout-7d9f: PLANNED",
    tone: "neutral",
    sections: [],
    buttons: [],
    footer: [],
    operation: "q-7f3kabc",
    outcome: "needs-confirmation",
    ...differing,
  };
}

export function note(headline: string): Reply {
  return card({ shape: "note", headline, operation: undefined, outcome: "ok" });
}

export const confirmButton: Button = { action: "confirm", label: "Confirm", style: "danger" };
