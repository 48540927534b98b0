import fc from "fast-check";
import { pino } from "pino";
import { expect, test } from "vitest";
import { emptyHead, link } from "../../src/audit/chain.ts";
import { readCopies } from "../../src/audit/copies.ts";
import type { ChainedEntry, ChainHead } from "../../src/audit/entry.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { anEntry } from "./entries.ts";

const chain = chainOf(20);
const head: ChainHead = chain.at(-1)!;

function chainOf(length: number): readonly ChainedEntry[] {
  let last: ChainHead = emptyHead;
  return Array.from({ length }, (_, number) => {
    // Deep and wide: a logger that abbreviates what is nested or long would break the hash.
    const detail = {
      deep: { a: { b: { c: { d: { e: { f: { g: "h" } } } } } } },
      wide: Array(300).fill('\u2028\ud83d\ude00\\"'),
    };
    const { entry } = link(anEntry(number + 1, { detail }), last);
    last = entry;
    return entry;
  });
}

/** The entries as pino prints them, between other lines. */
function printed(entries: readonly ChainedEntry[]): string {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  log.info("started");
  for (const audit of entries) {
    log.info({ audit }, audit.summary);
    log.info({ command: "status" }, "answered");
  }
  return lines.join("");
}

test("The chain verifies from the lines on standard output", async () => {
  const copies = await readCopies([printed(chain)]);
  expect(copies).toMatchObject({ otherLines: 21, cutLine: undefined });
  expect(copies.entries).toEqual(chain);
  expect(await verifyChain(copies.entries, head)).toMatchObject({ ok: true, entries: 20 });
});

test("Lines in any order, printed any number of times and cut into any chunks are the same chain", async () => {
  const lines = printed(chain).trimEnd().split("\n");
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...lines, ...lines, "plain text", "", "{"], { minLength: 2 * lines.length + 3 }),
      fc.integer({ min: 1, max: 5_000 }),
      async (shuffled, chunkLength) => {
        const text = `${shuffled.join("\n")}\n`;
        const chunks = Array.from({ length: Math.ceil(text.length / chunkLength) }, (_, index) =>
          text.slice(index * chunkLength, (index + 1) * chunkLength),
        );
        const copies = await readCopies(chunks);
        expect(await verifyChain(copies.entries, head)).toMatchObject({ ok: true, entries: 20 });
      },
    ),
    { numRuns: 20 },
  );
});

test("Two different lines of one entry are both kept, and verifying names it", async () => {
  const forged = { ...chain[4]!, summary: "something else" };
  const { entries } = await readCopies([printed([...chain, forged])]);
  expect(entries).toHaveLength(21);
  expect(await verifyChain(entries, head)).toMatchObject({ ok: false, seq: 5 });
});

test("A lost line is named as the missing entry", async () => {
  const { entries } = await readCopies([printed(chain.filter(({ seq }) => seq !== 9))]);
  expect(await verifyChain(entries, head)).toMatchObject({ ok: false, seq: 9, problem: "missing" });
});

test("Text that ends in the middle of a line is said to", async () => {
  const whole = printed(chain).split("\n");
  const lastEntry = whole.length - 2;
  const text = `${whole.slice(0, lastEntry - 1).join("\n")}\n${whole[lastEntry - 1]!.slice(0, 400)}`;
  const copies = await readCopies([text]);
  expect(copies.cutLine).toBe(lastEntry);
  expect(await verifyChain(copies.entries, head)).toMatchObject({ ok: false, seq: 20, problem: "cut-tail" });
});

test("A last line that is whole needs no line feed", async () => {
  expect(await readCopies([printed(chain).trimEnd()])).toMatchObject({ cutLine: undefined, otherLines: 21 });
});

test("An entry that is none is named", async () => {
  for (const junk of ['{"audit":"x"}', '{"audit":null}', '{"audit":{"seq":"7"}}', '{"audit":[1]}']) {
    const { entries } = await readCopies([printed(chain), junk, "\n"]);
    expect(await verifyChain(entries)).toMatchObject({ ok: false, seq: 21 });
  }
});
