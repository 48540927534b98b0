import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AllowanceObject,
  allowanceObjectName,
  knownAllowance,
  parseAllowanceName,
} from "../../src/policy/allowance.ts";
import { marks } from "../../src/policy/marks.ts";

const said = { operation: "a-7f3kd2m", ttlSeconds: 1_800, maxSeconds: 7_200, index: 0 };
const created = "2026-03-01T03:00:00Z";
const createdAt = Date.parse(created);

function object(
  annotations: Record<string, string>,
  { name = allowanceObjectName(said), labels = {} as Record<string, string> } = {},
): AllowanceObject {
  const metadata = { name, namespace: "payments", labels, annotations, creationTimestamp: created };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata };
}

const seconds = fc.integer({ min: 1, max: 604_800 });

test("The name of an object says its operation, its TTL and its cap, and is one that Kubernetes takes", () => {
  const name = fc.record({
    operation: fc.constant("a-7f3kd2m"),
    ttlSeconds: seconds,
    maxSeconds: seconds,
    index: fc.nat(999),
  });
  fc.assert(
    fc.property(name, (given) => {
      expect(parseAllowanceName(allowanceObjectName(given))).toEqual(given);
      expect(allowanceObjectName(given)).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])$/);
    }),
  );
});

test("A name of which anything was altered is none of ours", () => {
  const name = allowanceObjectName(said);
  for (let at = 0; at < name.length; at += 1) {
    const other = name[at] === "7" ? "8" : "7";
    expect(parseAllowanceName(name.slice(0, at) + other + name.slice(at + 1))).toBeUndefined();
  }
  for (const foreign of ["bulkhead-q-7f3kd2m", "allow-dns", "", `${name}x`, name.replace("-7200-", "-07200-")]) {
    expect(parseAllowanceName(foreign)).toBeUndefined();
  }
});

describe("The end of an object", () => {
  const endsIn = (annotations: Record<string, string>, recorded?: number) =>
    (knownAllowance(object(annotations), recorded)?.endsAt ?? 0) - createdAt;

  test("counts from its creation by the annotation, which an extension raises", () => {
    expect(endsIn({ [marks.ttlSeconds]: "1800" })).toBe(1_800_000);
    expect(endsIn({ [marks.ttlSeconds]: "3600" })).toBe(3_600_000);
    expect(endsIn({ [marks.ttlSeconds]: "60" })).toBe(60_000);
  });

  test.each(["", "soon", "-5", "0", "1e9", "1800.5", " 1800", "99999999999999999999", "0x10"])(
    "is that of the name where the annotation is %j",
    (value) => {
      expect(endsIn({ [marks.ttlSeconds]: value })).toBe(1_800_000);
    },
  );

  test("is that of the name where the annotation is gone, and why is said", () => {
    expect(endsIn({})).toBe(1_800_000);
    expect(knownAllowance(object({}))?.altered).toContain("is gone");
  });

  test("is never later than the cap in the name, nor than what was recorded", () => {
    expect(endsIn({ [marks.ttlSeconds]: "999999" })).toBe(7_200_000);
    expect(endsIn({ [marks.ttlSeconds]: "7200" }, 1_800)).toBe(1_800_000);
    expect(endsIn({ [marks.ttlSeconds]: "600" }, 1_800)).toBe(600_000);
    expect(endsIn({}, 900)).toBe(900_000);
  });
});

describe("What is no allowance, whatever its labels say", () => {
  test.each([
    ["another name with our labels", object({}, { name: "allow-dns", labels: { [marks.kind]: "allowance" } })],
    ["a quarantine with our labels", object({}, { name: "bulkhead-q-7f3kd2m", labels: { [marks.kind]: "allowance" } })],
    ["another kind", { ...object({}), apiVersion: "cilium.io/v2", kind: "CiliumNetworkPolicy" }],
    ["a NetworkPolicy of another API", { ...object({}), apiVersion: "crd.projectcalico.org/v1" }],
    ["one that is not stored", { ...object({}), metadata: { name: allowanceObjectName(said) } }],
  ])("%s", (_, other) => {
    expect(knownAllowance(other)).toBeUndefined();
  });
});

test.each([{ [marks.kind]: "quarantine" }, { [marks.operation]: "q-7f3kd2m" }, {}])(
  "Labels %j that somebody wrote keep an allowance from nothing",
  (labels) => {
    expect(knownAllowance(object({}, { labels }))?.operation).toBe("a-7f3kd2m");
  },
);
