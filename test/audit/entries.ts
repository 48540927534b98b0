import type { NewEntry } from "../../src/audit/entry.ts";

/** An entry to append; the number makes its id. */
export function anEntry(number: number, more: Partial<NewEntry> = {}): NewEntry {
  return {
    id: `q-${number}:intent`,
    kind: "intent",
    at: new Date(Date.UTC(2026, 10, 21) + number * 1_000).toISOString(),
    operation: `q-${number}`,
    verb: "quarantine",
    namespace: "payments",
    object: `Pod payments/checkout-${number}`,
    actor: { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "jane ☎" },
    where: { source: "slack", channel: "C1" },
    command: `quarantine payments/checkout-${number}`,
    summary: "quarantine of one pod",
    detail: { labels: { app: "checkout", tier: "web" } },
    replica: "bulkhead-0",
    ...more,
  };
}
