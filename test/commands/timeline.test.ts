import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { link as chained } from "../../src/audit/chain.ts";
import type { ChainedEntry, ChainHead, NewEntry } from "../../src/audit/entry.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { exportTimeline } from "../../src/audit-timeline.ts";
import { createPicker } from "../../src/commands/incident-entries.ts";
import { inline, link } from "../../src/commands/markdown.ts";
import { timelineOf } from "../../src/commands/timeline.ts";
import { timelineCsv } from "../../src/commands/timeline-csv.ts";
import { timelineMarkdown } from "../../src/commands/timeline-markdown.ts";
import { outcomeOf } from "../../src/commands/timeline-words.ts";
import type { Principal } from "../../src/policy/principal.ts";

const start = Date.UTC(2026, 10, 21, 7, 0, 0);
const alice: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "Alice" };
const bob: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U2", displayName: "Bob" };
const permalink = "https://acme.slack.com/archives/C1/p1763708400000000";
const about = { incident: "INC-482", exportedAt: "2026-11-21T09:00:00.000Z", chain: "The chain is intact." };

/** An entry so many seconds after the start. */
function at(seconds: number, entry: Partial<NewEntry>): NewEntry {
  return {
    id: `entry-${seconds}-${entry.kind}`,
    kind: "intent",
    at: new Date(start + seconds * 1_000).toISOString(),
    verb: "quarantine",
    actor: alice,
    where: { source: "slack", channel: "C1" },
    summary: "",
    replica: "bulkhead-0",
    ...entry,
  };
}

const pod = { cluster: "production", namespace: "payments", object: "Pod payments/checkout-1" };

function entryOf(plan: unknown): ChainedEntry {
  return { ...at(1, { detail: { plan } }), v: 1, seq: 1, prev: "", hash: "" };
}

function quarantineOf(id: string, seconds: number, more: Partial<NewEntry> = {}): readonly NewEntry[] {
  const operation = {
    ...pod,
    operation: id,
    reason: "odd traffic",
    where: { source: "slack", channel: "C1", permalink },
    ...more,
  };
  const plan = {
    kind: "quarantine",
    podUid: "uid-1",
    removes: ["app", "tier"],
    residual: [{ policy: "allow-dns", allows: "out to anywhere on UDP 53" }],
    policy: { metadata: { name: `bulkhead-${id}` } },
  };
  const steps = [
    { step: "command", at: start + seconds * 1_000 - 4_000 },
    { step: "planned", at: start + seconds * 1_000 - 3_800 },
    { step: "confirmed", at: start + seconds * 1_000 },
    { step: "policy written", at: start + seconds * 1_000 + 105 },
    { step: "read back", at: start + seconds * 1_000 + 2_200 },
  ];
  const command = "quarantine payments/checkout-1 odd traffic";
  return [
    at(seconds, { ...operation, kind: "intent", command, summary: "confirmed by Alice", detail: { plan } }),
    at(seconds + 2.2, {
      ...operation,
      kind: "outcome",
      ok: true,
      summary: "ISOLATED FOR NEW CONNECTIONS (payments/checkout-1)",
      detail: { verdict: "isolated", steps },
    }),
  ];
}

function releaseOf(id: string, lifts: string, seconds: number, more: Partial<NewEntry> = {}): readonly NewEntry[] {
  const operation = { ...pod, operation: id, verb: "release", actor: bob };
  const detail = { plan: { kind: "release", lifts, mode: "restore", podUid: "uid-1" } };
  return [
    at(seconds, { ...operation, kind: "intent", summary: "confirmed by Bob", detail }),
    at(seconds + 1, {
      ...operation,
      kind: "outcome",
      ok: true,
      summary: "Released: payments/checkout-1",
      detail: { exact: true, mode: "restore", steps: [] },
      ...more,
    }),
  ];
}

function binding(seconds: number, change: { before?: string; after?: string }, channel = "C1"): NewEntry {
  return at(seconds, {
    kind: "incident",
    verb: "incident",
    incident: change.after ?? change.before ?? "",
    object: `channel ${channel}`,
    where: { source: "slack", channel },
    summary: change.after === undefined ? "not bound any more" : `bound to ${change.after}`,
    detail: change,
  });
}

function refusal(seconds: number, command: string, channel = "C1"): NewEntry {
  return at(seconds, {
    kind: "refusal",
    actor: bob,
    command,
    where: { source: "slack", channel },
    ok: false,
    summary: "refused: why",
  });
}

function chainOf(entries: readonly NewEntry[]): readonly ChainedEntry[] {
  let head: ChainHead = { seq: 0, hash: "0".repeat(64) };
  return entries.map((entry) => {
    const { entry: linked } = chained(entry, head);
    head = { seq: linked.seq, hash: linked.hash };
    return linked;
  });
}

function pickedFrom(entries: readonly NewEntry[], incident = "INC-482"): readonly ChainedEntry[] {
  const picker = createPicker(incident);
  for (const entry of chainOf(entries)) picker.take(entry);
  return picker.picked();
}

const idsOf = (entries: readonly NewEntry[], incident?: string) => pickedFrom(entries, incident).map(({ id }) => id);

describe("To an incident belongs", () => {
  const mine = quarantineOf("q-1111111", 60, { incident: "INC-482" });
  const others = quarantineOf("q-2222222", 61, { incident: "INC-9" });

  test("what names it, and nothing of another one", () => {
    expect(idsOf([...others, ...mine])).toEqual(mine.map(({ id }) => id));
    expect(idsOf(mine, "INC-48")).toEqual([]);
  });

  test("the release of one of its quarantines, wherever that was typed", () => {
    const release = releaseOf("r-1111111", "q-1111111", 90).map((entry) => ({ ...entry, incident: "INC-9" }));
    const foreign = releaseOf("r-2222222", "q-2222222", 95);
    expect(idsOf([...mine, ...others, ...release, ...foreign])).toEqual([...mine, ...release].map(({ id }) => id));
  });

  test("a refusal that names one of its operations, or that came from its channel while that was bound to it", () => {
    const named = refusal(70, "press confirm q-1111111", "C7");
    const before = refusal(1, "quarantine db/x");
    const bound = refusal(12, "quarantine db/x");
    const elsewhere = refusal(13, "quarantine db/x", "C2");
    const after = refusal(99, "quarantine db/x");
    const on = binding(10, { after: "INC-482" });
    const off = binding(98, { before: "INC-482" });
    expect(idsOf([before, on, bound, elsewhere, ...mine, named, off, after])).toEqual(
      [on, bound, ...mine, named, off].map(({ id }) => id),
    );
  });

  test("the end of a binding by another incident", () => {
    const on = binding(10, { after: "INC-482" });
    const replaced = binding(20, { before: "INC-482", after: "INC-9" });
    expect(idsOf([on, replaced, refusal(21, "quarantine db/x")])).toEqual([on, replaced].map(({ id }) => id));
  });

  test("nothing that is no entry", () => {
    const picker = createPicker("INC-482");
    for (const odd of [undefined, null, 1, "text", [], { incident: "INC-482" }, { ...mine[0], seq: "1" }])
      picker.take(odd);
    expect(picker.picked()).toEqual([]);
  });
});

describe("Open items", () => {
  const open = (...entries: readonly (readonly NewEntry[])[]) =>
    timelineOf(pickedFrom(entries.flat().map((entry) => ({ ...entry, incident: "INC-482" }))), about).open;
  const mine = quarantineOf("q-1111111", 60);

  test("are quarantines in force, and not those that were released", () => {
    expect(open(mine)).toEqual([
      "q-1111111, quarantine of Pod payments/checkout-1, cluster production, uid uid-1: in force since 2026-11-21T07:01:02.200Z, ISOLATED FOR NEW CONNECTIONS (payments/checkout-1)",
    ]);
    expect(open(mine, releaseOf("r-1111111", "q-1111111", 90))).toEqual([]);
  });

  test("are quarantines whose release failed, until one did not", () => {
    const failed = releaseOf("r-1111111", "q-1111111", 90, { ok: false, detail: { error: "gone", left: "It holds." } });
    expect(open(mine, failed)).toHaveLength(2);
    expect(open(mine, failed, releaseOf("r-2222222", "q-1111111", 99)).join()).not.toMatch(/in force/);
  });

  test("are what was confirmed and has no outcome, what failed, and what was not restored exactly", () => {
    expect(open(mine.slice(0, 1))[0]).toMatch(/confirmed at .*, and no outcome is recorded/);
    const failed = mine.map((entry) =>
      entry.kind === "outcome" ? { ...entry, ok: false, detail: { error: "x", left: "Policy p stays." } } : entry,
    );
    expect(open(failed)[0]).toMatch(/failed at .*; Policy p stays\./);
    const inexact = releaseOf("r-1111111", "q-1111111", 90, { ok: false, summary: "Released, but not exactly" });
    expect(open(mine, inexact)).toEqual([expect.stringMatching(/^r-1111111, .*Released, but not exactly$/)]);
  });

  test("count the last outcome of an operation that was tried again", () => {
    const [intent, outcome] = mine;
    const failed = {
      ...outcome!,
      id: "first",
      at: new Date(start + 61_000).toISOString(),
      ok: false,
      detail: { error: "x" },
    };
    expect(open([intent!, failed, outcome!])).toEqual([expect.stringMatching(/in force since/)]);
  });
});

const hostile =
  "a | b `c` <script>alert(1)</script> [x](javascript:y) **b** _i_ ~~s~~ $m$ @team www.evil.example https://evil.example &amp; \\| \u202Egnp\u200B\r\n# heading\u2028- item\u0000";

describe("The document", () => {
  const told = timelineMarkdown(
    timelineOf(
      pickedFrom([
        binding(10, { after: "INC-482" }),
        refusal(30, "quarantine db/postgres-0"),
        ...quarantineOf("q-1111111", 60, { incident: "INC-482" }),
        ...releaseOf("r-1111111", "q-1111111", 90),
        ...quarantineOf("q-3333333", 120, { incident: "INC-482", reason: hostile, object: `Pod ${hostile}` }),
      ]),
      { ...about, chain: hostile },
    ),
  );

  test("tells intent and outcome once each, in words, with times, links, people, clusters and open items", async () => {
    const plain = told.replaceAll(/hash [0-9a-f]{12}/g, "hash HASH");
    await expect(plain).toMatchFileSnapshot("timeline.golden.txt");
  });

  test("says what an allowance and a rollback were going to write, open and close", () => {
    const policy = (name: string) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace: "db" },
    });
    const opens = ["payments/checkout to db/postgres on TCP 5432"];
    const allow = { kind: "allow", objects: [policy("bulkhead-a-1")], ttlSeconds: 1_800, opens };
    const writes = [
      { from: policy("deny"), to: policy("deny") },
      { from: policy("extra") },
      { to: policy("gone"), uid: undefined },
    ];
    const undo = { kind: "undo", writes, opens, closes: [] };
    const rows = [allow, undo].map((plan) => outcomeOf(entryOf(plan)));
    expect(rows).toEqual([
      "To be in force for 30m: NetworkPolicy db/bulkhead-a-1; opens: payments/checkout to db/postgres on TCP 5432",
      "To be undone: NetworkPolicy db/deny written back, NetworkPolicy db/extra deleted, NetworkPolicy db/gone made again; " +
        "opens: payments/checkout to db/postgres on TCP 5432; closes: none",
    ]);
  });

  test("is the same text each time", () => {
    const again = timelineMarkdown(timelineOf(pickedFrom(quarantineOf("q-1", 1, { incident: "INC-482" })), about));
    expect(timelineMarkdown(timelineOf(pickedFrom(quarantineOf("q-1", 1, { incident: "INC-482" })), about))).toBe(
      again,
    );
  });

  test("holds nothing of a hostile string that Markdown, HTML or a reader's eye would obey", () => {
    const rows = told.slice(0, told.indexOf("## How the times"));
    expect(rows).not.toMatch(/<script|\*\*b|`|https:\/\/evil|www\.evil|@team|[\p{Cf}\u2028]/u);
    expect(told).not.toMatch(/^#+ heading|^- item/m);
  });
});

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constantFrom(
    "",
    "|",
    "\\|",
    "\\",
    "`|`",
    "<!--",
    "-->",
    "\n|---|",
    "\r\n\r\n# x",
    hostile,
    "|".repeat(5_000),
    "\uD800",
  ),
);

/** What a chain can hold: canonical JSON has no lone surrogates. */
const chainText = anyText.map((text) => text.toWellFormed());

describe("Whatever the strings are", () => {
  test("every row of the table has its seven cells on one line, and no line is added anywhere", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(chainText, chainText, chainText, chainText), { minLength: 1, maxLength: 4 }),
        (all) => {
          const entries = all.flatMap(([one, two, three, four], number) =>
            quarantineOf(`q-${one}`, number * 10, {
              incident: "INC-482",
              object: two,
              reason: three,
              cluster: four,
              verb: one,
              actor: { ...alice, displayName: four },
              where: { source: "slack", permalink: three },
            }),
          );
          const timeline = timelineOf(pickedFrom(entries), { ...about, incident: all[0]?.[0] ?? "" });
          const lines = timelineMarkdown(timeline).split("\n");
          const rows = lines.filter((line) => line.startsWith("|"));
          expect(rows).toHaveLength(2 + entries.length);
          for (const row of rows) expect(row.split("|")).toHaveLength(9);
          expect(lines).toHaveLength(rows.length + Math.max(1, timeline.open.length) + 24);
          expect(timelineCsv(timeline).trimEnd().split("\r\n")).toHaveLength(1 + entries.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("text has no character left that Markdown obeys", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(inline(text)).not.toMatch(/[<>|`\\*_[\]~$@\n\r]|&(?!#\d+;)|(?! )[\p{Cc}\p{Cf}]/u);
      }),
    );
  });
});

test("A link is an https address, shows its host, and cannot end early", () => {
  expect(link("https://acme.slack.com/archives/C1/p1?thread_ts=1.2")).toBe(
    "[acme.slack.com](<https://acme.slack.com/archives/C1/p1?thread_ts=1.2>)",
  );
  expect(link("https://slack.com@evil.example/a b|c>(d)\\e")).toMatch(
    /^\[evil\.example\]\(<https:\/\/slack\.com@evil\.example\/[^ |>()\\]*>\)$/,
  );
  for (const none of ["javascript:alert(1)", "http://acme.slack.com/", "acme", "", "data:text/html,x"]) {
    expect(link(none)).toBeUndefined();
  }
});

test("A field of the CSV that a spreadsheet would run as a formula is text", () => {
  const entries = pickedFrom(
    quarantineOf("q-1", 1, { incident: "INC-482", reason: '=HYPERLINK("x")', object: "@SUM(A1)" }),
  );
  const csv = timelineCsv(timelineOf(entries, about));
  expect(csv).toContain(`"'=HYPERLINK(""x"")"`);
  expect(csv).toContain(`"'@SUM(A1)`);
});

describe("The export", () => {
  async function exported(entries: readonly unknown[], output: "markdown" | "json" | "csv", head?: ChainHead) {
    const written: string[] = [];
    const verify = async (walk: AsyncIterable<unknown>) => {
      const result = await verifyChain(walk, head);
      return { ok: result.ok, line: result.ok ? "intact" : `BROKEN: ${result.why}` };
    };
    const source = {
      entries: (async function* () {
        yield* entries;
      })(),
      verify,
    };
    const options = { now: () => start, write: (text: string) => void written.push(text) };
    const result = await exportTimeline({ incident: "INC-482", output, from: undefined }, source, options);
    return { ...result, text: written.join("") };
  }

  const chain = chainOf([
    ...quarantineOf("q-9999999", 1),
    ...quarantineOf("q-1111111", 60, { incident: "INC-482" }),
    ...releaseOf("r-1111111", "q-1111111", 90),
  ]);

  test("verifies the whole chain on the way, and says so in the document", async () => {
    const { ok, text } = await exported(chain, "markdown", chain.at(-1));
    expect(ok).toBe(true);
    expect(text).toContain("- Audit chain: intact");
    expect(text).toContain("- Entries: 4, numbers 3 to 6 of the audit chain");
  });

  test("of a broken chain has all its entries, says where it is broken, and is not ok", async () => {
    const edited = chain.map((entry) => (entry.seq === 1 ? { ...entry, summary: "nothing happened" } : entry));
    const { ok, text } = await exported(edited, "markdown", chain.at(-1));
    expect(ok).toBe(false);
    expect(text).toMatch(/- Audit chain: BROKEN: entry 1 was changed/);
    expect(text).toContain("- Entries: 4,");
  });

  test("of an incident that nothing belongs to writes nothing and is not ok", async () => {
    const result = await exported(chain.slice(0, 2), "markdown");
    expect(result).toMatchObject({
      ok: false,
      text: "",
      line: expect.stringContaining("No entry of the audit belongs to incident INC-482"),
    });
  });

  test("as JSON is the timeline, as CSV a line for each row", async () => {
    expect(JSON.parse((await exported(chain, "json")).text)).toMatchObject({
      incident: "INC-482",
      rows: [{ entry: 3 }, { entry: 4 }, { entry: 5 }, { entry: 6 }],
    });
    expect((await exported(chain, "csv")).text.split("\r\n")).toHaveLength(5);
  });
});
