import { describe, expect, test } from "vitest";
import { reopenedBy } from "../../src/commands/drift-left.ts";
import { driftOf, type There } from "../../src/commands/drift-of.ts";
import type { Manifest } from "../../src/policy/manifest.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Pod } from "../../src/policy/objects.ts";
import type { Operation } from "../../src/policy/operation.ts";
import { allowanceObject } from "./allowance-world.ts";

const id = "a-7f3kd2m";
const now = Date.parse("2026-01-01T00:00:30Z");

/** Half a minute after it was opened for a minute, of two objects. */
function allowance(changes: Partial<NonNullable<Operation["allowance"]>> = {}) {
  const objects = [0, 1].map((index) => allowanceObject({ index }));
  const operation = {
    id,
    kind: "allowance",
    state: "in-force",
    plan: { kind: "allow", objects },
    allowance: { ttlSeconds: 60, maxSeconds: 600, endsAt: now + 30_000, ...changes },
  } as unknown as Operation;
  const stored = objects.map(
    (object): Manifest => ({
      ...object,
      metadata: { ...object.metadata, uid: object.metadata.name, creationTimestamp: "2026-01-01T00:00:00Z" },
    }),
  );
  return { operation, stored };
}

function there(objects: There["objects"], changes: Partial<There> = {}): There {
  return { objects, pods: [], policies: [], serverMs: now, ...changes };
}

function withTtl(object: Manifest | undefined, ttl: string): Manifest {
  if (object === undefined) throw new Error("no object");
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [marks.ttlSeconds]: ttl } } };
}

const kinds = (operation: Operation, found: There) => driftOf(operation, found).map(({ kind }) => kind);

describe("An allowance", () => {
  test("is as it is held where nothing was changed, and where all of it is gone it has ended", () => {
    const { operation, stored } = allowance();
    expect(kinds(operation, there(stored))).toEqual([]);
    expect(kinds(operation, there([undefined, undefined]))).toEqual([]);
  });

  test("lacks what was deleted before its time, and nothing after it, nor where the time is not known", () => {
    const { operation, stored } = allowance();
    const half = [stored[0], undefined];
    expect(kinds(operation, there(half))).toEqual(["object-deleted"]);
    expect(kinds(operation, there(half, { serverMs: now + 30_000 }))).toEqual([]);
    expect(kinds(operation, there(half, { serverMs: undefined }))).toEqual([]);
  });

  test.each([
    ["600", {}, ["ttl-altered"]],
    ["30", {}, ["ttl-shortened"]],
    ["soon", {}, ["ttl-altered"]],
    ["600", { extending: { ttlSeconds: 600, by: { kind: "scheduler" } as const, at: now } }, []],
  ])("that says %s seconds, by %j", (ttl, changes, expected) => {
    const { operation, stored } = allowance(changes);
    expect(kinds(operation, there([stored[0], withTtl(stored[1], ttl)]))).toEqual(expected);
  });
});

test("An allowance whose time is gone ends as its name says: sooner where it was extended", () => {
  const { operation, stored } = allowance({ ttlSeconds: 120 });
  const extended = stored.map((object) => withTtl(object, "120"));
  expect(kinds(operation, there(extended))).toEqual([]);
  expect(kinds(operation, there([extended[0], withTtl(extended[1], "soon")]))).toEqual(["ttl-shortened"]);
});

test("The same change has the same id, and another change another", () => {
  const { operation, stored } = allowance();
  const [first, second] = ["600", "599"].map((ttl) => driftOf(operation, there([stored[0], withTtl(stored[1], ttl)])));
  expect(first).toEqual(driftOf(operation, there([stored[0], withTtl(stored[1], "600")])));
  expect(first?.[0]?.id).not.toBe(second?.[0]?.id);
});

test("Of a pod that is gone, or is another one of its name, nothing is held any more", () => {
  const operation = {
    id: "q-1",
    plan: { kind: "quarantine", podUid: "u1", removes: ["app"], policy: allowanceObject() },
  } as unknown as Operation;
  const pod = { uid: "u1", name: "p", namespace: "n", labels: { app: "x" }, phase: "Running" } as unknown as Pod;
  expect(kinds(operation, there([undefined], { pods: [pod] }))).toEqual(["object-deleted", "label-off", "labels-back"]);
  expect(kinds(operation, there([undefined], { pods: [{ ...pod, uid: "u2" }] }))).toEqual([]);
  expect(kinds(operation, there([undefined], { pods: [{ ...pod, phase: "Succeeded" }] }))).toEqual([]);
});

describe("What opens again", () => {
  const left = (policy: string, how: string) => ({ policy, how, allows: "out", sure: true, claim: `${policy} lets` });
  const plan = { residual: [{ policy: "old", allows: "x" }] };

  test("is what was not left open when it was cut off, one drift for each policy", () => {
    const before = [{ policy: "a", how: "1" }];
    expect(reopenedBy([left("a", "1")], before, plan)).toEqual([]);
    const found = reopenedBy([left("a", "1"), left("a", "2"), left("b", "1"), left("b", "2")], before, plan);
    expect(found.map(({ policy }) => policy)).toEqual(["a", "b"]);
    expect(reopenedBy([], before, plan)).toEqual([]);
  });

  test("is told of records of old by the policies that their plans named", () => {
    expect(reopenedBy([left("old", "1"), left("new", "1")], undefined, plan).map(({ policy }) => policy)).toEqual([
      "new",
    ]);
  });
});
