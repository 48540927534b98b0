import { expect, test } from "vitest";
import { parse } from "../../src/commands/parse.ts";
import { typedBy } from "../../src/commands/row-press.ts";

const nowhere = { kind: "flows", cluster: undefined, namespace: undefined, sinceMs: undefined } as const;
const hourly = { kind: "every", everyMs: 3_600_000 } as const;
const all = { kind: "denied", workload: undefined } as const;

test.each([
  ["flows", { ...nowhere, what: all }],
  ["flows since 2h", { ...nowhere, sinceMs: 7_200_000, what: all }],
  ["flows since 1h payments", { ...nowhere, namespace: "payments", sinceMs: 3_600_000, what: all }],
  ["flows prod-eu:", { ...nowhere, cluster: "prod-eu", what: all }],
  [
    "flows prod-eu:payments/Deploy/checkout",
    {
      ...nowhere,
      cluster: "prod-eu",
      namespace: "payments",
      what: { kind: "denied", workload: { of: "deploy", name: "checkout" } },
    },
  ],
  ["flows q-7f3k", { ...nowhere, what: { kind: "operation", operation: "q-7f3k" } }],
  ["flows muted", { ...nowhere, what: { kind: "muted" } }],
  ["flows muted/", { ...nowhere, namespace: "muted", what: all }],
  ["flows mute f-0123456789", { ...nowhere, what: { kind: "mute", line: "f-0123456789", forMs: 28_800_000 } }],
  ["flows mute f-0123456789 for 30m", { ...nowhere, what: { kind: "mute", line: "f-0123456789", forMs: 1_800_000 } }],
  ["flows unmute m-0123456789", { ...nowhere, what: { kind: "unmute", mute: "m-0123456789" } }],
  ["flows watched", { ...nowhere, what: { kind: "watched" } }],
  ["flows watch", { ...nowhere, what: { kind: "watch", workload: undefined, schedule: hourly } }],
  [
    "flows watch eu:payments every 5m",
    {
      ...nowhere,
      cluster: "eu",
      namespace: "payments",
      what: { kind: "watch", workload: undefined, schedule: { kind: "every", everyMs: 300_000 } },
    },
  ],
  [
    "flows watch payments/checkout at 09:05",
    {
      ...nowhere,
      namespace: "payments",
      what: {
        kind: "watch",
        workload: { of: undefined, name: "checkout" },
        schedule: { kind: "at", minute: 545 },
      },
    },
  ],
  [
    "flows unwatch payments",
    { ...nowhere, namespace: "payments", what: { kind: "unwatch", watch: undefined, workload: undefined } },
  ],
  ["flows unwatch w-0123456789", { ...nowhere, what: { kind: "unwatch", watch: "w-0123456789", workload: undefined } }],
  ["flows explain f-0123456789", { ...nowhere, what: { kind: "explain", line: "f-0123456789" } }],
] as const)("%s is understood", (text, command) => {
  expect(parse(text)).toEqual(command);
});

test.each([
  "flows since",
  "flows since 4m",
  "flows since 3d",
  "flows a b",
  "flows Payments!",
  "flows mute f-0123456789 for 8d",
  "flows mute f-0123456789 8h",
  "flows unmute f-0123456789",
  "flows explain f-0123456789 now",
  "flows watch payments every 4m",
  "flows watch payments every 49h",
  "flows watch payments every",
  "flows watch payments at 24:00",
  "flows watch payments at 9",
  "flows watch payments shop",
  "flows watch payments every 1h now",
  "flows watch q-7f3kd2m",
  "flows watch muted",
  "flows unwatch payments now",
])("%s gets the usage", (text) => {
  expect(parse(text)).toMatchObject({ kind: "usage", topic: "flows" });
});

test("Only a whole id of its own kind makes a press a command", () => {
  const press = (action: string, operation: string) => {
    const principal = { kind: "in-pod" } as const;
    const origin = { principal, source: "in-pod", channel: undefined, at: 0, delivery: "d", card: undefined } as const;
    return typedBy({ ...origin, action, operation })?.text;
  };
  expect(press("flow-mute", "f-0123456789")).toBe("flows mute f-0123456789");
  expect(press("flow-unmute", "m-0123456789")).toBe("flows unmute m-0123456789");
  expect(press("roll-back", "v-0123456")).toBe("rollback v-0123456");
  expect(press("flow-mute", "m-0123456789")).toBeUndefined();
  expect(press("flow-allow", "f-012345678")).toBeUndefined();
  expect(press("roll-back", "f-0123456789")).toBeUndefined();
  expect(press("toString", "f-0123456789")).toBeUndefined();
});
