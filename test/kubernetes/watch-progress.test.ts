import { expect, test } from "vitest";
import { type FailureKind, KubernetesError } from "../../src/kubernetes/failure.ts";
import { areStuck, createProgress } from "../../src/kubernetes/watch-progress.ts";

const failure = (kind: FailureKind, retryAfterMs?: number) =>
  new KubernetesError({ kind, message: kind, retryAfterMs });

function synced() {
  let now = 1_000;
  const progress = createProgress("/api/v1/pods", () => (now += 1));
  progress.listed("10");
  return progress;
}

test("It stands where the newest list or event left it", () => {
  const progress = synced();
  expect(progress.position()).toBe("10");
  progress.advanced("12");
  expect(progress.position()).toBe("12");
  expect(progress.state()).toEqual({
    path: "/api/v1/pods",
    synced: true,
    seenAtMs: 1_003,
    triedAtMs: 1_003,
    problem: undefined,
  });
});

test("Failures keep position and age, and make the waits longer up to a bound", () => {
  const progress = synced();
  const waits = [1, 2, 3, 4].map(() => progress.failed(failure("unreachable")));
  expect(progress.position()).toBe("10");
  expect(progress.state()).toMatchObject({ synced: true, seenAtMs: 1_002, problem: { kind: "unreachable" } });
  for (const [index, bound] of [500, 1_000, 2_000, 4_000].entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(bound / 2);
    expect(waits[index]).toBeLessThanOrEqual(bound * 1.5);
  }
  for (let more = 0; more < 50; more++) expect(progress.failed(failure("server-error"))).toBeLessThanOrEqual(7_500);
});

test("The fifth failure in a row asks for a list, since a restored server is behind the position", () => {
  const progress = synced();
  for (let failures = 0; failures < 4; failures++) progress.failed(failure("server-error"));
  expect(progress.position()).toBe("10");
  progress.failed(failure("server-error"));
  expect(progress.position()).toBe("");
});

test("Expiry asks for a list at once, and what is stored is not complete until then", () => {
  const progress = synced();
  expect(progress.failed(failure("expired"))).toBe(0);
  expect(progress.position()).toBe("");
  expect(progress.state().synced).toBe(false);
  progress.listed("20");
  expect(progress.state()).toMatchObject({ synced: true, problem: undefined });
  expect(progress.failed(failure("expired"))).toBeGreaterThan(0);
});

test("What the server asks to wait is waited, up to a minute", () => {
  expect(synced().failed(failure("throttled", 7_000))).toBe(7_000);
  expect(synced().failed(failure("throttled", 86_400_000))).toBe(60_000);
});

test("Watches are stuck where none has heard or failed for five minutes; a server that is away is no standstill", () => {
  const minute = 60_000;
  let now = 0;
  const [quiet, failing] = ["a", "b"].map((path) => createProgress(path, () => now));
  quiet!.listed("1");
  expect(areStuck([quiet!.state()], 5 * minute)).toBe(false);
  expect(areStuck([quiet!.state(), failing!.state()], 5 * minute + 1)).toBe(true);
  now = 5 * minute;
  failing!.failed(failure("unreachable"));
  expect(areStuck([quiet!.state(), failing!.state()], 9 * minute)).toBe(false);
  expect(areStuck([quiet!.state(), failing!.state()], 10 * minute + 1)).toBe(true);
  expect(areStuck([], 10 * minute)).toBe(false);
});
