import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { emptyHead, link, sealOf } from "../../src/audit/chain.ts";
import type { ChainedEntry, ChainHead } from "../../src/audit/entry.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { anEntry } from "./entries.ts";

let chain: readonly ChainedEntry[] = [];

beforeAll(() => {
  chain = chainOf(1_000);
});

function chainOf(length: number): readonly ChainedEntry[] {
  const entries: ChainedEntry[] = [];
  let head: ChainHead = emptyHead;
  for (let number = 1; number <= length; number += 1) {
    const { entry } = link(anEntry(number), head);
    entries.push(entry);
    head = entry;
  }
  return entries;
}

const headOf = (entries: readonly ChainedEntry[]): ChainHead => entries.at(-1) ?? emptyHead;

/** The chain with entry `seq` changed by `change`. */
function withEntry(seq: number, change: (entry: ChainedEntry) => unknown): readonly unknown[] {
  return chain.map((entry) => (entry.seq === seq ? change(entry) : entry));
}

const anySeq = fc.integer({ min: 1, max: 1_000 });

describe("A chain of 1 000 entries", () => {
  test("verifies when nothing was done to it, and says where it ends", async () => {
    const { seq, hash } = headOf(chain);
    expect(await verifyChain(chain, { seq, hash })).toEqual({
      ok: true,
      entries: 1_000,
      base: emptyHead,
      head: { seq: 1_000, hash },
    });
  });

  test("verifies against the head as a card shows it, and not against another one", async () => {
    const { seq, hash } = headOf(chain);
    const shown = hash.slice(0, 12);
    expect(await verifyChain(chain, { seq, hash: shown })).toMatchObject({ ok: true });
    const other = `${shown.startsWith("0") ? "1" : "0"}${shown.slice(1)}`;
    expect(await verifyChain(chain, { seq, hash: other })).toMatchObject({ ok: false, seq, problem: "edited" });
  });

  test("may have grown since its head was read", async () => {
    expect(await verifyChain(chain, headOf(chain.slice(0, 900)))).toMatchObject({ ok: true, entries: 1_000 });
  });

  test("names the entry whose content was edited, wherever it is", async () => {
    await fc.assert(
      fc.asyncProperty(anySeq, fc.string(), async (seq, summary) => {
        const edited = withEntry(seq, (entry) => ({ ...entry, summary: `${entry.summary}${summary}!` }));
        expect(await verifyChain(edited)).toMatchObject({ ok: false, seq, problem: "edited" });
      }),
      { numRuns: 25 },
    );
  });

  test("names the link that breaks when an entry is replaced by one with a hash of its own", async () => {
    for (const seq of [1, 2, 500, 999]) {
      const forged = withEntry(seq, (entry) => sealed({ ...entry, summary: "nothing happened" }));
      expect(await verifyChain(forged, headOf(chain))).toMatchObject({
        ok: false,
        seq: seq + 1,
        problem: "broken-link",
      });
    }
  });

  test("names the last entry when it was replaced by one with a hash of its own", async () => {
    const forged = withEntry(1_000, (entry) => sealed({ ...entry, summary: "nothing happened" }));
    expect(await verifyChain(forged, headOf(chain))).toMatchObject({ ok: false, seq: 1_000, problem: "edited" });
  });

  test("names the entry that was removed, wherever it was", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 999 }), async (seq) => {
        const removed = chain.filter((entry) => entry.seq !== seq);
        expect(await verifyChain(removed, headOf(chain))).toMatchObject({ ok: false, seq, problem: "missing" });
      }),
      { numRuns: 25 },
    );
  });

  test("names the first entry that is missing when its tail is cut", async () => {
    for (const left of [0, 1, 500, 999]) {
      const cut = await verifyChain(chain.slice(0, left), headOf(chain));
      expect(cut).toMatchObject({ ok: false, seq: left + 1, problem: "cut-tail" });
    }
  });

  test("names entry 1 when its beginning is cut", async () => {
    const cut = await verifyChain(chain.slice(10), headOf(chain));
    expect(cut).toMatchObject({ ok: false, seq: 1, why: "entries 1 to 10 are not in place: 11 follows the beginning" });
  });

  test("names the first entry out of place when two were swapped", async () => {
    const swapped = chain.map((entry) => (entry.seq === 7 ? chain[7] : entry.seq === 8 ? chain[6] : entry));
    expect(await verifyChain(swapped)).toMatchObject({ ok: false, seq: 7, problem: "missing" });
  });

  test("names the entry that stands twice", async () => {
    const other = sealed({ ...chain[499]!, summary: "something else" });
    const twice = [...chain.slice(0, 500), other, ...chain.slice(500)];
    expect(await verifyChain(twice)).toMatchObject({ ok: false, seq: 500, problem: "repeated" });
  });

  test("names an entry of a format that is not known", async () => {
    const newer = withEntry(12, (entry) => sealed({ ...entry, v: 2 }));
    expect(await verifyChain(newer)).toMatchObject({ ok: false, seq: 12, problem: "version" });
  });

  test("names what is no entry at all", async () => {
    for (const junk of ["not json", null, [], 7, undefined]) {
      const verified = await verifyChain(withEntry(3, () => junk));
      expect(verified).toMatchObject({ ok: false, seq: 3, problem: "unreadable" });
    }
  });

  test("is found to be another one when all of it was written anew from some entry on", async () => {
    let head: ChainHead = chain[599]!;
    const rest = chain.slice(600).map((entry) => {
      const { v: _v, seq: _seq, prev: _prev, hash: _hash, ...content } = entry;
      const linked = link({ ...content, summary: "rewritten" }, head).entry;
      head = linked;
      return linked;
    });
    const rewritten = await verifyChain([...chain.slice(0, 600), ...rest], headOf(chain));
    expect(rewritten).toMatchObject({ ok: false, seq: 1_000, problem: "edited" });
  });
});

test("Any one change of any JSON entry breaks the chain", async () => {
  const details = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(details, fc.nat(), fc.jsonValue(), async (all, pick, other) => {
      let head: ChainHead = emptyHead;
      const entries = all.map((detail, number) => {
        const { entry } = link(anEntry(number, { detail }), head);
        head = entry;
        return entry;
      });
      expect(await verifyChain(entries, head)).toMatchObject({ ok: true });
      const seq = (pick % entries.length) + 1;
      const edited = entries.map((entry) =>
        entry.seq === seq ? { ...entry, detail: { ...entry.detail, added: { other, seq } } } : entry,
      );
      expect(await verifyChain(edited, head)).toMatchObject({ ok: false, seq, problem: "edited" });
    }),
  );
});

test("An empty chain verifies as empty", async () => {
  expect(await verifyChain([])).toEqual({ ok: true, entries: 0, base: emptyHead, head: emptyHead });
});

function sealed(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { ...entry, hash: sealOf(entry) };
}
