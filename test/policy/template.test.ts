import { expect, test } from "vitest";
import { mayUseHere, refuseElsewhere, ttlFor } from "../../src/policy/template.ts";
import { templateOf } from "./template-of.ts";

const template = templateOf();
const minute = 60_000;

test("A template is usable where it says, and nowhere if it says nothing", () => {
  const somewhere = { namespaces: ["payments", "shop-*"], clusters: ["prod"] };
  const tries = [
    { cluster: "prod", namespace: "payments" },
    { cluster: "prod", namespace: "payments-2" },
    { cluster: "prod", namespace: "shop-eu" },
    { cluster: "test", namespace: "payments" },
    { cluster: undefined, namespace: "payments" },
    { cluster: "prod", namespace: undefined },
  ];
  expect(tries.map((place) => mayUseHere(somewhere, place))).toEqual([true, false, true, false, true, true]);
  expect(mayUseHere({ namespaces: [], clusters: ["*"] }, { cluster: "prod", namespace: undefined })).toBe(false);
  expect(refuseElsewhere(template, { cluster: "prod", namespace: "payments" })).toBeUndefined();
  expect(refuseElsewhere({ ...template, ...somewhere }, { cluster: "prod", namespace: "db" })?.reason).toBe(
    "template egress-to-cidr may not be used in namespace db: its where.namespaces allows it only in payments, shop-*",
  );
});

test("The time is as asked, or the template's, and the most is told rather than taken", () => {
  expect(ttlFor(template, undefined)).toEqual({ ttlSeconds: 1_800, maxSeconds: 43_200 });
  expect(ttlFor(template, 240 * minute)).toEqual({ ttlSeconds: 14_400, maxSeconds: 43_200 });
  expect(ttlFor(template, 1_000)).toEqual({ ttlSeconds: 1, maxSeconds: 43_200 });
  expect(ttlFor(template, 241 * minute)).toMatchObject({
    reason: "4h 1m is more than the 4h for which template egress-to-cidr may be opened at once",
    next: "Ask for 4h or less; it can be extended to 12h in all.",
  });
  for (const ms of [0, -minute, Number.NaN, 999]) expect(ttlFor(template, ms)).toMatchObject({ kind: "refusal" });
  expect(ttlFor(template, Number.POSITIVE_INFINITY)).toMatchObject({ kind: "refusal" });
});
