import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeBlocks } from "../../../src/sandbox/slack/judge-blocks.ts";

const plain = (length: number) => ({ type: "plain_text", text: "x".repeat(length) });
const mrkdwn = (length: number) => ({ type: "mrkdwn", text: "x".repeat(length) });
const button = (more: object) => ({ type: "button", text: plain(1), ...more });
const actions = (...elements: object[]) => ({ type: "actions", elements });
const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const richText = (...elements: object[]) => ({ type: "rich_text", elements });
const words = (text: string) => ({ type: "rich_text_section", elements: [{ type: "text", text }] });
const table = (rows: object[][]) => ({ type: "table", rows });
const cell = (text: string) => ({ type: "raw_text", text });

/** At the limit, and one beyond it; the message that the server would give. */
const limits: readonly (readonly [what: string, ok: unknown[], tooMuch: unknown[], error: string])[] = [
  ["50 blocks", many(50, () => ({ type: "divider" })), many(51, () => ({ type: "divider" })), "no more than 50 items"],
  ["header of 150", [{ type: "header", text: plain(150) }], [{ type: "header", text: plain(151) }], "less than 151"],
  ["section of 3000", [{ type: "section", text: mrkdwn(3000) }], [{ type: "section", text: mrkdwn(3001) }], "3001"],
  [
    "10 fields",
    [{ type: "section", fields: many(10, () => plain(1)) }],
    [{ type: "section", fields: many(11, () => plain(1)) }],
    "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
  ],
  [
    "field of 2000",
    [{ type: "section", fields: [plain(2000)] }],
    [{ type: "section", fields: [plain(2001)] }],
    "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
  ],
  [
    "10 context elements",
    [{ type: "context", elements: many(10, () => plain(1)) }],
    [{ type: "context", elements: many(11, () => plain(1)) }],
    "no more than 10 items",
  ],
  [
    "25 buttons",
    [actions(...many(25, () => button({})))],
    [actions(...many(26, () => button({})))],
    "no more than 25 items",
  ],
  ["label of 75", [actions(button({ text: plain(75) }))], [actions(button({ text: plain(76) }))], "less than 76"],
  [
    "value of 2000",
    [actions(button({ value: "x".repeat(2000) }))],
    [actions(button({ value: "x".repeat(2001) }))],
    "less than 2001",
  ],
  [
    "action_id of 255",
    [actions(button({ action_id: "x".repeat(255) }))],
    [actions(button({ action_id: "x".repeat(256) }))],
    "less than 256",
  ],
  [
    "block_id of 255",
    [{ type: "divider", block_id: "x".repeat(255) }],
    [{ type: "divider", block_id: "x".repeat(256) }],
    "less than 256",
  ],
  ["100 rows", [table(many(100, () => [cell("x")]))], [table(many(101, () => [cell("x")]))], "no more than 100 items"],
  ["20 cells", [table([many(20, () => cell("x"))])], [table([many(21, () => cell("x"))])], "no more than 20 items"],
  [
    "10000 characters of table",
    [table(many(10, () => [cell("x".repeat(500)), cell("x".repeat(500))]))],
    [table(many(10, (at) => [cell("x".repeat(500)), cell("x".repeat(at === 0 ? 501 : 500))]))],
    "less than 10001",
  ],
];

const wrong: readonly (readonly [what: string, blocks: unknown[], error: string])[] = [
  ["an unknown block", [{ type: "nonsense" }], "unsupported type [json-pointer:/blocks/0/type]"],
  ["an alert, which is for modals", [{ type: "alert", text: plain(1) }], "unsupported type"],
  ["an unknown property", [{ type: "divider", colour: "red" }], "invalid additional property: colour"],
  ["mrkdwn in a header", [{ type: "header", text: mrkdwn(3) }], "[json-pointer:/blocks/0/text/type]"],
  ["an empty text", [{ type: "section", text: plain(0) }], "must be more than 0 characters"],
  ["a section of nothing", [{ type: "section" }], "[json-pointer:/blocks/0]"],
  ["no buttons", [actions()], "must be more than 0 items"],
  ["a button without text", [actions({ type: "button" })], "missing required field: text"],
  [
    "a string for a text object",
    [{ type: "header", text: "hi" }],
    "must provide a object [json-pointer:/blocks/0/text]",
  ],
  ["a style that there is not", [actions(button({ style: "warning" }))], "/blocks/0/elements/0/style"],
  [
    "the same block_id twice",
    [
      { type: "divider", block_id: "a" },
      { type: "divider", block_id: "a" },
    ],
    '`block_id` "a" already exists [json-pointer:/blocks/1/block_id]',
  ],
  [
    "the same action_id twice in a block",
    [actions(button({ action_id: "a" }), button({ action_id: "a" }))],
    '`action_id` "a" already exists [json-pointer:/blocks/0/elements/1/action_id]',
  ],
  ["text straight in rich_text", [richText({ type: "text", text: "x" })], "/blocks/0/elements/0/type"],
  ["an empty rich text", [richText(words(""))], "must be more than 0 characters"],
  [
    "a mention in preformatted text",
    [richText({ type: "rich_text_preformatted", elements: [{ type: "user", user_id: "U1" }] })],
    "unsupported type",
  ],
  [
    "a list of text",
    [richText({ type: "rich_text_list", style: "bullet", elements: [{ type: "text", text: "x" }] })],
    "/type",
  ],
  ["an empty cell", [table([[cell("")]])], "must be more than 0 characters"],
];

describe("limits", () => {
  test.each(limits)("%s pass, one more does not", (_, ok, tooMuch, error) => {
    expect(judgeBlocks(ok)).toMatchObject({ ok: true });
    const verdict = judgeBlocks(tooMuch);
    expect(verdict).toMatchObject({ ok: false, error: "invalid_blocks" });
    expect(verdict.ok ? [] : verdict.errors.join("\n")).toContain(error);
  });

  test("A message beyond 13.2 kB of blocks is too long as a whole", () => {
    const sections = (bytes: number) => many(5, () => ({ type: "section", text: plain(Math.floor(bytes / 5)) }));
    expect(judgeBlocks(sections(12_500))).toMatchObject({ ok: true });
    expect(judgeBlocks(sections(13_200))).toMatchObject({ ok: false, error: "msg_blocks_too_long" });
  });

  test("A message has one table", () => {
    const two = [table([[cell("a")]]), table([[cell("b")]])];
    expect(judgeBlocks(two)).toMatchObject({ error: "invalid_attachments", errors: ["only_one_table_allowed"] });
  });
});

describe("structure", () => {
  test.each(wrong)("%s is refused", (_, blocks, error) => {
    const verdict = judgeBlocks(blocks);
    expect(verdict).toMatchObject({ ok: false, error: "invalid_blocks" });
    expect(verdict.ok ? "" : verdict.errors.join("\n")).toContain(error);
  });

  test("What is no array is no format for blocks", () => {
    for (const value of ["[]", {}, 7, null]) {
      expect(judgeBlocks(value)).toMatchObject({ ok: false, error: "invalid_blocks_format" });
    }
  });

  test("Blocks and buttons without an id get one, those with one keep it", () => {
    const verdict = judgeBlocks([
      { type: "divider", block_id: "mine" },
      actions(button({}), button({ action_id: "a" })),
    ]);
    expect(verdict).toMatchObject({
      ok: true,
      blocks: [
        { block_id: "mine" },
        {
          block_id: expect.stringMatching(/./),
          elements: [{ action_id: expect.stringMatching(/./) }, { action_id: "a" }],
        },
      ],
    });
  });

  test("The same action_id may stand in two blocks", () => {
    const one = () => actions(button({ action_id: "a" }));
    expect(judgeBlocks([one(), one()])).toMatchObject({ ok: true });
  });

  test("Whatever is sent, there is a verdict, and what passes once passes again with its ids", () => {
    const type = fc.constantFrom("header", "section", "divider", "context", "actions", "table", "rich_text", "image");
    const textual = fc.record({ type: fc.constantFrom("plain_text", "mrkdwn"), text: fc.string() });
    const rows = fc.array(fc.array(fc.record({ type: fc.constant("raw_text"), text: fc.string() })));
    const one = fc.record(
      { type, text: textual, fields: fc.array(textual), elements: fc.array(fc.jsonValue()), rows, x: fc.jsonValue() },
      { requiredKeys: ["type"] },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(one, fc.jsonValue())), (blocks) => {
        const verdict = judgeBlocks(blocks);
        if (verdict.ok) expect(judgeBlocks(verdict.blocks)).toEqual(verdict);
        else expect(verdict.error).not.toBe("");
      }),
    );
  });
});
