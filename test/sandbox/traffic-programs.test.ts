import { expect, test } from "vitest";
import type { Pod } from "../../src/policy/objects.ts";
import type { Rules } from "../../src/sandbox/traffic-policies.ts";
import { createPrograms } from "../../src/sandbox/traffic-programs.ts";

const enforcing = { broken: new Set<string>(), all: false };

test("The ledger's clients try less often once they were denied for half a minute, and as before when they are let in", () => {
  const pods = [pod("payments", "ledger-1"), pod("db", "postgres-0")];
  let ingress = false;
  const decide = () => ({ egress: true, ingress });
  const programs = createPrograms({ now: () => Date.UTC(2026, 10, 22, 13) });
  const busy = (turns: number): number =>
    Array.from({ length: turns }, () => programs({ pods, decide } as unknown as Rules, enforcing)).filter(
      (lines) => lines.length > 0,
    ).length;
  expect(busy(60)).toBe(60);
  expect(busy(40)).toBe(10);
  ingress = true;
  expect(busy(4)).toBe(1);
  expect(busy(20)).toBe(20);
});

function pod(namespace: string, name: string): Pod {
  const labels = { app: name.split("-")[0] ?? "" };
  return { namespace, name, uid: name, labels, podIP: "10.1.1.1", nodeName: "node-a" } as unknown as Pod;
}
