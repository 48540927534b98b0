import fc from "fast-check";
import { expect, test } from "vitest";
import { bounded } from "../../src/history/bound.ts";
import { emptyLineage, fold, keyOf } from "../../src/history/fold.ts";
import { headOf, imageOfForm, type Lineage } from "../../src/history/lineage.ts";
import { revisionOf, stepsOf } from "../../src/history/revisions.ts";
import { imageOf, type RawPolicy, type Revision, revisionId, sameImage, specHash } from "../../src/policy/revision.ts";
import type { Sight } from "../../src/policy/sight.ts";
import { gone, happenings, play, type Step } from "./replicas-of-history.ts";

test("Whatever replicas see and in whatever order they tell it, the history is what happened, with gaps where nobody watched", async () => {
  await fc.assert(
    fc.asyncProperty(happenings, async (all) => {
      let lineage: Lineage | undefined;
      const told: Sight[] = [];
      const tell = (sights: readonly Sight[]): void => {
        for (const sight of sights) lineage = fold(lineage ?? emptyLineage(keyOf(sight)), sight, []);
        told.push(...sights);
      };
      const { steps, current, version, now } = await play(all, tell);
      const head = lineage && headOf(lineage);
      const missed = steps.findLast((step) => step.uid === head?.uid && step.object !== undefined)?.object;
      if (head !== undefined && head.uid !== current?.metadata.uid) tell([gone(missed!, version, now)]);

      expectTruth(lineage, { steps, told });
    }),
    { numRuns: 400 },
  );
});

test("It says the same in whatever order it is told, and however often", async () => {
  await fc.assert(
    fc.asyncProperty(happenings, fc.infiniteStream(fc.nat()), async (all, random) => {
      const sights: Sight[] = [];
      await play(all, (some) => void sights.push(...some));
      const shuffled = [...sights, ...sights]
        .map((sight) => ({ sight, place: random.next().value as number }))
        .toSorted((one, other) => one.place - other.place)
        .map(({ sight }) => sight);
      const [inOrder, otherwise] = [lineageOf(sights), lineageOf(shuffled)];
      expect(revisions(otherwise)).toEqual(revisions(inOrder));
    }),
    { numRuns: 200 },
  );
});

test("A spec that came and went between forms alike is told by a replica that lags, and what it went back to is a change of then", () => {
  const lineage = lineageOf([
    sight(103, "a", { at: 40, continuous: false }),
    sight(106, "a", { previous: policy(103, "a"), at: 70 }),
    sight(101, "a", { at: 50 }),
    sight(102, "b", { previous: policy(101, "a"), at: 50 }),
  ]);
  expect(revisions(lineage).map(({ change, resourceVersion, at }) => [change, resourceVersion, at])).toEqual([
    ["created", "101", 40],
    ["changed", "102", 40],
    ["changed", "103", 40],
  ]);
});

test("Of forms alike the first and the last are kept, where a watch saw every step or an hour has passed", () => {
  const many = Array.from({ length: 20 }, (_, index) => index + 1);
  const seen = many.map((version) => sight(version, "a", { previous: policy(version - 1, "a"), at: version }));
  expect(versions(lineageOf(seen))).toEqual(["0", "20"]);
  expect(versions(lineageOf(seen.toReversed()))).toEqual(["0", "20"]);
  const listed = (everyMs: number) =>
    many.map((version) => sight(version, "a", { at: version * everyMs, continuous: false }));
  expect(versions(lineageOf(listed(1)))).toHaveLength(20);
  expect(versions(lineageOf(listed(3_600_000)))).toEqual(["1", "19", "20"]);
});

test("Where only the newest two are kept, those are true as well, and what is there stays known", async () => {
  await fc.assert(
    fc.asyncProperty(happenings, async (all) => {
      let lineage: Lineage | undefined;
      const told: Sight[] = [];
      const tell = (sights: readonly Sight[]): void => {
        for (const sight of sights) {
          const next = fold(lineage ?? emptyLineage(keyOf(sight)), sight, []);
          lineage = bounded(next, { since: Number.NEGATIVE_INFINITY, most: 2 });
        }
        told.push(...sights);
      };
      const { steps, current, version, now } = await play(all, tell);
      const head = lineage && headOf(lineage);
      const missed = steps.findLast((step) => step.uid === head?.uid && step.object !== undefined)?.object;
      if (head !== undefined && head.uid !== current?.metadata.uid) tell([gone(missed!, version, now)]);

      expectNow(lineage, current);
      const found = revisions(lineage);
      expect(found.length).toBeLessThanOrEqual(2);
      for (const revision of found) expectTrue(revision, { steps, told });
    }),
    { numRuns: 400 },
  );
});

test("Of a policy whose forms are megabytes fewer are kept, and the newest always", () => {
  const large = (version: number): RawPolicy => ({
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name: "large", namespace: "n", uid: "u", resourceVersion: `${version}` },
    spec: { text: `${version}`.repeat(900_000) },
  });
  let lineage: Lineage | undefined;
  for (const version of [1, 2, 3, 4, 5, 6]) {
    const previous = version === 1 ? undefined : large(version - 1);
    const sight: Sight = {
      kind: "there",
      cluster: "main",
      object: large(version),
      previous,
      continuous: true,
      at: version,
    };
    lineage = bounded(fold(lineage ?? emptyLineage(keyOf(sight)), sight, []), { since: 0, most: 50 });
  }
  expect(revisions(lineage).map(({ resourceVersion }) => resourceVersion)).toEqual(["5", "6"]);
});

function lineageOf(sights: readonly Sight[]): Lineage | undefined {
  return sights.reduce<Lineage | undefined>(
    (state, one) => fold(state ?? emptyLineage(keyOf(one)), one, []),
    undefined,
  );
}

type Seen = { readonly previous?: RawPolicy; readonly at: number; readonly continuous?: boolean };

function sight(version: number, spec: string, { previous, at, continuous = true }: Seen): Sight {
  return { kind: "there", cluster: "main", object: policy(version, spec), previous, continuous, at };
}

function policy(version: number, spec: string): RawPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p", namespace: "n", uid: "u", resourceVersion: `${version}` },
    spec: { podSelector: { matchLabels: { spec } } },
  };
}

function versions(lineage: Lineage | undefined): readonly string[] {
  return lineage?.lives.flatMap(({ points }) => points.map(({ resourceVersion }) => resourceVersion)) ?? [];
}

function revisions(lineage: Lineage | undefined): readonly Revision[] {
  return lineage === undefined ? [] : stepsOf(lineage).map((step) => revisionOf(lineage, step));
}

type Truth = { readonly steps: readonly Step[]; readonly told: readonly Sight[] };

function expectTruth(lineage: Lineage | undefined, { steps, told }: Truth): void {
  expectNow(lineage, steps.at(-1)?.object);
  const found = revisions(lineage);
  expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
  expect(found.map(({ at }) => at)).toEqual(found.map(({ at }) => at).toSorted((one, other) => one - other));
  for (const revision of found) expectTrue(revision, { steps, told });
  for (const sight of told.filter(isDifference)) {
    expect(found.filter(({ gap }) => !gap).map(({ id }) => id)).toContain(idOf(sight));
  }
}

function expectNow(lineage: Lineage | undefined, current: RawPolicy | undefined): void {
  const head = lineage && headOf(lineage);
  expect(head?.point.resourceVersion).toBe(current?.metadata.resourceVersion);
  expect(sameImage(head && imageOfForm(head.point.form), current && imageOf(current))).toBe(true);
}

/** Of a revision that is no gap, the truth has exactly that step, and somebody saw it. */
function expectTrue(revision: Revision, { steps, told }: Truth): void {
  const { before, after, change, gap, uid, resourceVersion } = revision;
  expect({ change, before: before !== undefined, after: after !== undefined }).toEqual({
    change,
    before: change !== "created",
    after: change !== "deleted",
  });
  if (before !== undefined && after !== undefined) expect(specHash(before)).not.toBe(specHash(after));
  const stored = (image: Revision["after"], upTo: number) =>
    image === undefined ||
    steps.some(
      (step) =>
        step.uid === uid && step.resourceVersion <= upTo && step.object && sameImage(image, imageOf(step.object)),
    );
  expect(stored(after, Number(resourceVersion)) && stored(before, Number(resourceVersion))).toBe(true);
  if (change === "deleted") expect(steps.some((step) => step.uid === uid && step.object === undefined)).toBe(true);
  if (gap) return;
  expect(told.filter((sight) => sight.continuous).map(idOf)).toContain(revision.id);
  const step = steps.find((one) => one.uid === uid && `${one.resourceVersion}` === resourceVersion);
  expect(sameImage(before, step?.previous && imageOf(step.previous))).toBe(true);
  expect(sameImage(after, step?.object && imageOf(step.object))).toBe(true);
}

function isDifference(sight: Sight): boolean {
  if (!sight.continuous) return false;
  if (sight.kind === "gone" || sight.previous === undefined) return true;
  return specHash(imageOf(sight.previous)) !== specHash(imageOf(sight.object));
}

function idOf({ kind, object: { metadata } }: Sight): string {
  return revisionId("main", metadata.uid, kind === "gone" ? "deleted" : metadata.resourceVersion);
}
