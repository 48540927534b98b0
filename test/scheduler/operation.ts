import { type Operation, operationId } from "../../src/policy/operation.ts";

/** A quarantine that was just asked for, by the delivery. */
export function anOperation(delivery: string, more: Partial<Operation> = {}): Operation {
  return {
    version: 1,
    id: operationId("quarantine", delivery),
    kind: "quarantine",
    state: "accepted",
    revision: 0,
    delivery,
    principal: { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "jane ☎" },
    origin: { source: "slack", channel: undefined, command: "quarantine payments/checkout", at: 1_000 },
    target: { cluster: "local", namespace: "payments", pod: "checkout" },
    reason: 'smart “quotes” and \u2028 "others"',
    steps: [],
    ...more,
  };
}
