import { describe, expect, test } from "vitest";
import { afterLook, isUntold } from "../../src/commands/drift-records.ts";
import type { Drift, Drifting, DriftRecord } from "../../src/policy/drift.ts";

const gone: Drift = { id: "d-1", kind: "object-deleted", what: "it is gone", sure: true };
const reopened: Drift = { id: "d-2", kind: "re-opened", what: "policy p lets it out", sure: true };

function look(
  before: Drifting | undefined,
  drifts: readonly Drift[],
  at: number,
  unlooked: readonly Drift["kind"][] = [],
) {
  return afterLook(before, { drifts, at, unlooked: new Set(unlooked) });
}

const told = (drift: Drifting | undefined, changes: Partial<DriftRecord> = {}): Drifting => ({
  records: drift?.records.map((one) => ({ ...one, tellingAt: one.since, toldAt: one.since, ...changes })) ?? [],
});

describe("What an operation remembers of its drift", () => {
  test("is the same value where nothing is different, so that nobody stores or tells it again", () => {
    const first = look(undefined, [gone], 1);
    expect(first?.records).toMatchObject([{ id: "d-1", state: "open", since: 1, times: 1 }]);
    expect(look(first, [gone], 2)).toBe(first);
    expect(look(undefined, [], 2)).toBeUndefined();
  });

  test("counts how often it came, and tells each time of its end", () => {
    const over = look(told(look(undefined, [gone], 1)), [], 2);
    expect(over?.records).toMatchObject([{ state: "gone", ended: 2, times: 1 }]);
    expect(over?.records.every((one) => isUntold(one, 2))).toBe(true);
    const again = look(told(over), [gone], 3);
    expect(again?.records).toMatchObject([{ state: "open", since: 3, times: 2 }]);
    expect(again?.records[0]).not.toHaveProperty("toldAt");
    const restored = { records: [{ ...(again?.records[0] as DriftRecord), state: "restored" as const, toldAt: 3 }] };
    expect(look(restored, [gone], 4)?.records).toMatchObject([{ state: "open", times: 3 }]);
  });

  test("does not end what was not looked at, and says no more of what was accepted", () => {
    const open = look(undefined, [gone, reopened], 1);
    expect(look(open, [gone], 2, ["re-opened"])).toBe(open);
    const accepted = told(open, { state: "accepted" });
    expect(look(accepted, [gone, reopened], 2)).toBe(accepted);
    const over = look(accepted, [], 3);
    expect(over?.records.map(({ state }) => state)).toEqual(["gone", "gone"]);
    expect(over?.records.some((one) => isUntold(one, 3))).toBe(false);
  });

  test("is told again where whoever began to tell it did not end, and not for ever", () => {
    const [record] = look(undefined, [gone], 1_000)?.records ?? [];
    const telling = { ...(record as DriftRecord), tellingAt: 1_000 };
    expect(isUntold(telling, 5_000)).toBe(false);
    expect(isUntold(telling, 12_000)).toBe(true);
    expect(isUntold(telling, 2 * 3_600_000)).toBe(false);
  });

  test("stays bounded, the newest ends kept", () => {
    let drift: Drifting | undefined;
    for (let at = 0; at < 100; at += 2) {
      drift = look(drift, [{ ...gone, id: `d-${at}` }], at);
      drift = look(drift, [], at + 1);
    }
    expect(drift?.records).toHaveLength(20);
    expect(drift?.records.at(-1)).toMatchObject({ id: "d-98" });
  });
});
