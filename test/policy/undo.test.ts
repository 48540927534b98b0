import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authorWords, revisionWords } from "../../src/policy/author-words.ts";
import { marks } from "../../src/policy/marks.ts";
import { type Author, type Image, lineageOf, type Revision, revisionId, sameImage } from "../../src/policy/revision.ts";
import { newestFirst, type Standing, undo } from "../../src/policy/undo.ts";
import { holdsBack, isCandidate, ownerOperation, undoOf } from "../../src/policy/undo-candidates.ts";

type Spec = Record<string, unknown>;

function image(name: string, spec: Spec, labels: Record<string, string> = {}): Image {
  const metadata = { name, namespace: "shop", ...(Object.keys(labels).length === 0 ? {} : { labels }) };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
}

const ci: Author = { kind: "manager", manager: "ci", operation: "Update", at: undefined };

/** A cluster of policies that are changed one after the other, with a revision of each change. */
function world() {
  const images = new Map<string, Image>();
  const revisions: Revision[] = [];
  const set = (name: string, to: Image | undefined, authors: readonly Author[] = [ci]): Revision => {
    const before = images.get(name);
    const version = revisions.length + 10;
    const revision: Revision = {
      version: 1,
      id: revisionId("c", name, String(version)),
      cluster: "c",
      change: before === undefined ? "created" : to === undefined ? "deleted" : "changed",
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      namespace: "shop",
      name,
      uid: name,
      resourceVersion: String(version),
      at: version * 1_000,
      before,
      after: to,
      authors,
      gap: false,
    };
    revisions.push(revision);
    if (to === undefined) images.delete(name);
    else images.set(name, to);
    return revision;
  };
  const standings = (): ReadonlyMap<string, Standing> =>
    new Map(
      [...new Set(revisions.map(({ name }) => name))].map((name) => {
        const lineage = revisions.filter((one) => one.name === name).toReversed();
        const key = lineageOf(lineage[0]!);
        return [key, { image: images.get(name), uid: name, terminating: false, lineage }] as const;
      }),
    );
  return {
    images,
    revisions,
    set,
    relabel: (name: string, labels: Record<string, string>) => {
      const { spec } = images.get(name)!;
      images.set(name, image(name, spec, labels));
    },
    undo: (changes: readonly Revision[], way: Parameters<typeof undo>[2] = "alone") => undo(changes, standings(), way),
    terminating: (changes: readonly Revision[]) =>
      undo(changes, new Map([...standings()].map(([key, one]) => [key, { ...one, terminating: true }])), "alone"),
  };
}

const open = { podSelector: {}, ingress: [{}] };
const shut = { podSelector: {}, ingress: [] };

describe("Undoing one change", () => {
  test("deletes what was created, makes what was deleted, and puts a changed policy back", () => {
    const { set, undo: back } = world();
    const created = set("a", image("a", open));
    expect(back([created]).writes).toEqual([{ from: image("a", open), uid: "a", to: undefined }]);
    const changed = set("a", image("a", shut, { team: "net" }));
    expect(back([changed]).writes).toEqual([
      { from: image("a", shut, { team: "net" }), uid: "a", to: image("a", open) },
    ]);
    const deleted = set("a", undefined);
    expect(back([deleted]).writes).toEqual([{ from: undefined, uid: "a", to: image("a", shut, { team: "net" }) }]);
  });

  test("writes nothing where the policy does what it did before already", () => {
    const { set, undo: back, relabel } = world();
    set("a", image("a", open));
    const changed = set("a", image("a", shut));
    set("a", image("a", open));
    relabel("a", { team: "net" });
    const { writes, nothing, undone, stop } = back([changed]);
    expect({ writes, nothing, undone, stop }).toEqual({ writes: [], nothing: [changed], undone: [], stop: undefined });
  });

  test("keeps labels that were put on since, and says so", () => {
    const { set, undo: back, relabel } = world();
    set("a", image("a", open, { team: "net" }));
    const changed = set("a", image("a", shut, { team: "net", by: "ci" }));
    relabel("a", { team: "net", by: "ci", seen: "yes" });
    const { writes, kept } = back([changed]);
    expect(writes[0]?.to).toEqual(image("a", open, { team: "net", seen: "yes" }));
    expect(kept).toEqual([{ revision: changed, what: "metadata" }]);
  });

  test("stops where a label that it changed was changed again", () => {
    const { set, undo: back, relabel } = world();
    set("a", image("a", open, { by: "jane" }));
    const changed = set("a", image("a", shut, { by: "ci" }));
    relabel("a", { by: "somebody" });
    expect(back([changed]).stop).toMatchObject({ revision: changed, ways: ["later-too"], later: [] });
    expect(back([changed], "later-too").writes[0]?.to).toEqual(image("a", open, { by: "jane" }));
  });

  test("stops where a finalizer keeps a policy that is being deleted", () => {
    const { set, terminating } = world();
    set("a", image("a", open));
    const changed = set("a", image("a", shut));
    expect(terminating([changed]).stop).toMatchObject({ ways: [], why: expect.stringContaining("finalizer") });
  });
});

describe("A policy that was changed again", () => {
  const both = { podSelector: {}, ingress: [], egress: [] };

  test("is told with who changed it, and with the ways that there are", () => {
    const { set, undo: back } = world();
    set("a", image("a", open));
    const changed = set("a", image("a", shut));
    const later = set("a", image("a", both));
    const { stop, writes } = back([changed]);
    expect(stop).toEqual({
      revision: changed,
      why: "the policy was changed again after it",
      later: [later],
      ways: ["later-too", "merge"],
    });
    expect(writes).toEqual([]);
  });

  test("goes back with the later changes, or keeps them where the fields are disjoint", () => {
    const { set, undo: back } = world();
    set("a", image("a", open));
    const changed = set("a", image("a", shut));
    const later = set("a", image("a", both));
    expect(back([changed], "later-too")).toMatchObject({
      undone: [later, changed],
      writes: [{ to: image("a", open) }],
    });
    expect(back([changed], "merge")).toMatchObject({
      undone: [changed],
      writes: [{ to: image("a", { ...open, egress: [] }) }],
      kept: [{ revision: changed, what: "merged" }],
    });
  });

  test("is not merged where both changed the same list", () => {
    const { set, undo: back } = world();
    set("a", image("a", open));
    const changed = set("a", image("a", shut));
    set("a", image("a", { podSelector: {}, ingress: [{ from: [] }] }));
    expect(back([changed], "merge").stop).toMatchObject({
      why: "it cannot be merged: both changed spec.ingress",
      ways: ["later-too"],
    });
  });

  test("is shown where it was deleted and a policy of that name is there again", () => {
    const { set, undo: back } = world();
    set("a", image("a", open));
    const deleted = set("a", undefined);
    const again = set("a", image("a", shut));
    expect(back([deleted]).stop).toMatchObject({ later: [again], ways: ["later-too"] });
    expect(back([deleted], "later-too").writes).toEqual([{ from: image("a", shut), uid: "a", to: image("a", open) }]);
  });

  test("by a quarantine goes back with that alone", () => {
    const { set, undo: back } = world();
    set("a", image("a", open));
    const changed = set("a", image("a", shut));
    set("a", image("a", both), [{ kind: "operation", operation: "q-1234567", by: undefined }]);
    expect(back([changed], "later-too").stop).toMatchObject({
      ways: ["merge"],
      why: "a later change of the policy is of q-1234567, and is undone by ending that alone",
    });
  });

  test("so that it leaves out quarantined pods does not select them again", () => {
    const { set, undo: back } = world();
    set("a", image("a", open));
    const selector = { matchExpressions: [{ key: "bulkhead.dev/quarantine", operator: "DoesNotExist" }] };
    const changed = set("a", image("a", { ...open, podSelector: selector }));
    expect(back([changed]).stop).toMatchObject({ ways: [], why: expect.stringContaining("quarantined pods") });
    expect(holdsBack(image("a", { podSelector: selector }), undefined)).toBeUndefined();
  });
});

describe("Several changes", () => {
  test("of a policy come to one write, and what came between ends them", () => {
    const { set, undo: back } = world();
    const first = set("a", image("a", open));
    const foreign = set("a", image("a", { podSelector: {}, ingress: [{ from: [] }] }));
    const last = set("a", image("a", shut));
    expect(back([first, last, foreign]).writes).toEqual([{ from: image("a", shut), uid: "a", to: undefined }]);
    const { stop, undone, writes } = back([first, last]);
    expect(undone).toEqual([last]);
    expect(writes).toHaveLength(1);
    expect(stop).toMatchObject({ revision: first, later: [foreign] });
  });

  test("end at the first that cannot be undone: older ones of other policies stay", () => {
    const { set, undo: back } = world();
    const oldest = set("b", image("b", open));
    set("a", image("a", open));
    const stuck = set("a", image("a", shut));
    set("a", image("a", { podSelector: {}, ingress: [{ from: [] }] }));
    const newest = set("c", image("c", open));
    const { undone, stop } = back([oldest, stuck, newest]);
    expect(undone).toEqual([newest]);
    expect(stop?.revision).toEqual(stuck);
  });

  test("that come to nothing together are no write", () => {
    const { set, undo: back } = world();
    const made = set("a", image("a", open));
    const gone = set("a", undefined);
    expect(back([made, gone])).toMatchObject({ writes: [], undone: [gone, made] });
  });
});

describe("Candidates", () => {
  test("are all but what operations of ours wrote, what an undo wrote, and what was undone", () => {
    const { set } = world();
    const operation = (id: string): Author[] => [ci, { kind: "operation", operation: id, by: undefined }];
    expect(isCandidate(set("a", image("a", open)))).toBe(true);
    const ours = { ...set("bulkhead-q-1234567", image("a", open)), owner: "q-1234567" };
    expect([isCandidate(ours), ownerOperation(ours)]).toEqual([false, "q-1234567"]);
    expect(isCandidate(set("b", image("b", open), operation("q-1234567")))).toBe(false);
    expect(isCandidate(set("canary", image("c", open), operation("v-1234567")))).toBe(false);
    expect(isCandidate({ ...set("bulkhead", image("d", open)), kind: "Tier" })).toBe(false);
    const undoing = set("c", image("c", open), operation("u-1234567"));
    expect(isCandidate(undoing)).toBe(false);
    expect(undoOf(undoing)).toBe("u-1234567");
    expect(ownerOperation(undoing)).toBeUndefined();
    expect(isCandidate({ ...set("d", image("d", open)), undoneBy: "u-1234567" })).toBe(false);
  });

  test("are what only claims to be of an operation, by its name, its marks or the program", () => {
    const { set } = world();
    expect(isCandidate(set("bulkhead-q-1234567", image("a", open)))).toBe(true);
    for (const id of ["q-1234567", "u-1234567"]) {
      const claim = set("a", image("a", open), [{ kind: "operation", operation: id, by: undefined, claimed: true }]);
      expect([isCandidate(claim), ownerOperation(claim), undoOf(claim)]).toEqual([true, undefined, undefined]);
    }
    const program: Author = { kind: "manager", manager: "bulkhead", operation: "Update", at: undefined };
    expect(isCandidate(set("b", image("b", open), [program]))).toBe(true);
  });

  test("are not what makes a policy leave out quarantined pods, which nobody takes back, and are where it does more", () => {
    const { set } = world();
    const leftOut = { matchExpressions: [{ key: marks.quarantine, operator: "DoesNotExist" }] };
    set("a", image("a", open));
    expect(isCandidate(set("a", image("a", { ...open, podSelector: leftOut })))).toBe(false);
    set("b", image("b", { podSelector: {} }));
    expect(isCandidate(set("b", image("b", { ...open, podSelector: leftOut })))).toBe(true);
  });

  test("are ordered by the server's version as a number, then by when they were seen", () => {
    const { set } = world();
    const one = set("a", image("a", open));
    expect(newestFirst({ ...one, resourceVersion: "100", at: 1 }, { ...one, resourceVersion: "99", at: 2 })).toBe(-1);
    expect(newestFirst({ ...one, resourceVersion: "x", at: 1 }, { ...one, resourceVersion: "99", at: 2 })).toBe(1);
  });
});

test("A change is told with who made it, and with what only the object claims", () => {
  const { set } = world();
  const by: Author[] = [{ kind: "user", user: "jane", groups: [] }, ci];
  const made = set("a", image("a", open), by);
  expect(revisionWords(made)).toBe(`${made.id} (created at 1970-01-01T00:00:10Z, by jane with the program ci)`);
  expect(revisionWords({ ...made, gap: true })).toContain("after a gap");
  expect(authorWords([])).toBe("nobody known");
  expect(authorWords([{ kind: "user", user: "bot", groups: [], impersonatedBy: "root" }])).toContain(
    "impersonated by root",
  );
  expect(authorWords([{ kind: "operation", operation: "u-1", by: { kind: "in-pod" } }])).toBe("in-pod (u-1)");
  expect(authorWords([{ kind: "operation", operation: "u-1", by: undefined }])).toBe("Bulkhead (u-1)");
});

const name = fc.constantFrom("a", "b", "c");
const spec: fc.Arbitrary<Spec> = fc.record(
  {
    ingress: fc.constantFrom([], [{}]),
    egress: fc.constantFrom([], [{}]),
    policyTypes: fc.constantFrom(["Ingress"], ["Egress"]),
  },
  { requiredKeys: [] },
);
const labels = fc.dictionary(fc.constantFrom("x", "y"), fc.constantFrom("1", "2"));
const edit = fc.record({ name, spec: fc.option(spec), labels });

test("Undoing all changes of a time gives the images of then, and undoing that gives those of now, to the byte", () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 12 }), fc.nat(12), (edits, from) => {
      const here = world();
      const snapshots = [new Map(here.images)];
      for (const one of edits) {
        const to = one.spec === null ? undefined : image(one.name, one.spec, one.labels);
        const current = here.images.get(one.name);
        // Neither deleting what is not there nor changing labels alone makes a revision.
        if (JSON.stringify(to?.spec) === JSON.stringify(current?.spec)) continue;
        here.set(one.name, to);
        snapshots.push(new Map(here.images));
      }
      const count = from % snapshots.length;
      const then = snapshots[count]!;
      const now = new Map(here.images);
      const since = here.revisions.slice(count);
      const { writes, stop } = here.undo(since);
      expect(stop).toBeUndefined();
      const made = writes.map(({ from: was, to }) => here.set((was ?? to)!.metadata.name, to));
      for (const key of ["a", "b", "c"]) expect(sameImage(here.images.get(key), then.get(key))).toBe(true);
      for (const write of here.undo(made).writes) here.set((write.from ?? write.to)!.metadata.name, write.to);
      for (const key of ["a", "b", "c"]) expect(sameImage(here.images.get(key), now.get(key))).toBe(true);
    }),
    { numRuns: 150 },
  );
});
