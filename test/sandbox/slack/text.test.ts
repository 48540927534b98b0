import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Block } from "../../../src/sandbox/slack/blocks.ts";
import { judgeBlocks } from "../../../src/sandbox/slack/judge-blocks.ts";
import { columnsOf } from "../../../src/sandbox/slack/lines.ts";
import { numberButtons, type RenderOptions, renderMessage } from "../../../src/sandbox/slack/text.ts";
import type { Message } from "../../../src/sandbox/slack/workspace.ts";

function message(content: Partial<Message>): Message {
  return {
    channel: "C1",
    ts: "1.000001",
    author: "U1",
    text: "",
    blocks: [],
    ephemeralTo: undefined,
    threadTs: undefined,
    edited: false,
    ...content,
  };
}

/** Only blocks that Slack would take are rendered. */
function blocks(...given: unknown[]): readonly Block[] {
  const verdict = judgeBlocks(given);
  if (!verdict.ok) throw new Error(`${verdict.error}: ${verdict.errors.join(", ")}`);
  return verdict.blocks;
}

const render = (given: unknown[], options: RenderOptions = {}) =>
  renderMessage(message({ blocks: blocks(...given) }), { width: 40, ...options });
const text = (given: string, options: RenderOptions = {}) => renderMessage(message({ text: given }), options);

const plain = (given: string) => ({ type: "plain_text", text: given });
const mrkdwn = (given: string) => ({ type: "mrkdwn", text: given });
const button = (label: string, more: object = {}) => ({ type: "button", text: plain(label), ...more });
const directory = {
  user: (id: string) => (id === "U1" ? { displayName: "Alice" } : undefined),
  channel: (id: string) => (id === "C1" ? { name: "incidents" } : undefined),
};

describe("mrkdwn", () => {
  test.each([
    ["a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"],
    ["&lt;!channel&gt; stays what it is", "<!channel> stays what it is"],
    ["<@U1> and <@U2> and <@U1|not alice>", "@Alice and @U2 and @Alice"],
    ["<#C1> and <#C2|x>", "#incidents and #C2"],
    ["<!here> <!channel> <!subteam^S1|@sre> <!subteam^S2>", "@here @channel @sre @S2"],
    ["until <!date^1700000000^{time}|22:13 UTC>", "until 22:13 UTC"],
    ["<https://good.example|click> <https://plain.example>", "click (https://good.example) https://plain.example"],
    ["*bold* and *two words*, not 2*3*4", "bold and two words, not 2*3*4"],
    ["`*code*` keeps *its* stars", "`*code*` keeps its stars"],
  ])("%s reads as %s", (given, shown) => {
    expect(text(given, { directory })).toBe(shown);
  });
});

describe("blocks", () => {
  test("A card of every kind of block", () => {
    const card = render(
      [
        { type: "header", text: plain("ISOLATED") },
        { type: "section", text: mrkdwn("*Pod* payments/checkout") },
        { type: "section", fields: [mrkdwn("*Who*\n<@U1>"), mrkdwn("*Why*\nodd egress"), plain("third")] },
        { type: "divider" },
        {
          type: "rich_text",
          elements: [
            { type: "rich_text_section", elements: [{ type: "text", text: "Leaves: ", style: { bold: true } }] },
            {
              type: "rich_text_list",
              style: "bullet",
              elements: ["checkout", "web"].map((name) => ({
                type: "rich_text_section",
                elements: [{ type: "text", text: name, style: { code: true } }],
              })),
            },
            { type: "rich_text_preformatted", elements: [{ type: "text", text: "kind: NetworkPolicy\n  x: 1" }] },
            { type: "rich_text_quote", elements: [{ type: "user", user_id: "U1" }] },
          ],
        },
        { type: "context", elements: [plain("audit 17"), mrkdwn("op `q-7f3k`")] },
        { type: "actions", elements: [button("Confirm", { style: "danger" }), button("Cancel")] },
      ],
      { directory },
    );
    expect(card.split("\n")).toEqual([
      "ISOLATED",
      "════════",
      "Pod payments/checkout",
      "Who                  Why",
      "@Alice               odd egress",
      "third",
      "─".repeat(40),
      "Leaves:",
      "  • `checkout`",
      "  • `web`",
      "  │ kind: NetworkPolicy",
      "  │   x: 1",
      "> @Alice",
      "audit 17 · op `q-7f3k`",
      "[1] Confirm (danger)   [2] Cancel",
    ]);
  });

  test("Lists are numbered and indented", () => {
    const item = (given: string) => ({ type: "rich_text_section", elements: [{ type: "text", text: given }] });
    const list = { type: "rich_text_list", style: "ordered", indent: 1, elements: [item("one"), item("two")] };
    expect(render([{ type: "rich_text", elements: [list] }])).toBe("    1. one\n    2. two");
  });

  test("A table has aligned columns, and a cell that is too wide goes on below", () => {
    const cell = (given: string) => ({ type: "raw_text", text: given });
    const rows = [
      [cell("Pod"), cell("Flows")],
      [cell("checkout-7d9f-abcde in payments that is long"), cell("7")],
      [cell("web"), { type: "raw_number", value: 1200, text: "1200" }],
    ];
    expect(render([{ type: "table", rows, column_settings: [null, { align: "right" }] }]).split("\n")).toEqual([
      "Pod                                Flows",
      "─────────────────────────────────  ─────",
      "checkout-7d9f-abcde in payments        7",
      "that is long",
      "web                                 1200",
    ]);
  });

  test("A message without blocks shows its text, one with blocks only those", () => {
    expect(text("only text")).toBe("only text");
    expect(
      renderMessage(message({ text: "fallback", blocks: blocks({ type: "section", text: plain("shown") }) })),
    ).toBe("shown");
  });

  test("An accessory button follows its section, an image shows its text, a link its address", () => {
    const shown = render([
      { type: "section", text: plain("Docs"), accessory: button("Open", { url: "https://a.example" }) },
      { type: "context", elements: [{ type: "image", image_url: "https://a.example/x.png", alt_text: "a graph" }] },
    ]);
    expect(shown).toBe("Docs\n[1] Open (https://a.example)\n[image: a graph]");
  });
});

describe("buttons", () => {
  test("Buttons of several messages are numbered through, and each knows where it is pressed", () => {
    const actions = (...labels: string[]) => ({ type: "actions", elements: labels.map((label) => button(label)) });
    const first = message({ ts: "1.000001", blocks: blocks(actions("A", "B"), actions("C")) });
    const second = message({ ts: "1.000002", blocks: blocks(actions("D")) });
    const numbered = numberButtons([first, message({ ts: "1.000003" }), second]);
    expect(numbered.map(({ number, index, label }) => [number, index, label])).toEqual([
      [1, 0, "A"],
      [2, 1, "B"],
      [3, 2, "C"],
      [4, 0, "D"],
    ]);
    expect(numbered.at(-1)?.message).toBe(second);
    expect(renderMessage(first, { buttons: numbered })).toBe("[1] A   [2] B\n[3] C");
    expect(renderMessage(second, { buttons: numbered })).toBe("[4] D");
    expect(renderMessage(second, { buttons: [] })).toBe("[-] D");
  });
});

describe("hostile strings", () => {
  const escape = "\u001b[2J\u001b]0;title\u0007";

  test("Control characters, also by way of names and entities, neither act nor vanish", () => {
    const shown = text(`${escape}a\u202Eb\u200Bc\r\n<@U1>`, {
      directory: { ...directory, user: () => ({ displayName: `\u009B31mEve${escape}` }) },
    });
    expect(shown).toBe("�[2J�]0;title�a�b�c\n@�31mEve�[2J�]0;title�");
  });

  test("Whatever a message says, its lines fit, nothing but text comes out, and every letter is there", () => {
    const word = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), fc.constant(" "));
    const hostile = fc.array(word, { minLength: 1, maxLength: 30 }).map((words) => `a${words.join("")}`);
    const letters = (given: string) => given.replace(/[^a-z0-9]/gi, "");
    fc.assert(
      fc.property(hostile, fc.integer({ min: 20, max: 100 }), (given, width) => {
        const shown = render(
          [
            { type: "section", text: plain(given) },
            {
              type: "rich_text",
              elements: [{ type: "rich_text_preformatted", elements: [{ type: "text", text: given }] }],
            },
            { type: "section", fields: [plain(given), plain("x")] },
            { type: "table", rows: [[{ type: "raw_text", text: given }], [{ type: "raw_text", text: "y" }]] },
          ],
          { width },
        );
        // oxlint-disable-next-line no-control-regex -- that there are none is the point
        expect(shown).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2066-\u2069]/);
        expect(Math.max(...shown.split("\n").map(columnsOf))).toBeLessThanOrEqual(width);
        expect(letters(render([{ type: "section", text: plain(given) }], { width }))).toBe(letters(given));
      }),
    );
  });

  test("Wide characters are measured as a terminal shows them", () => {
    const shown = render([{ type: "section", text: plain("漢字".repeat(15)) }]);
    expect(shown.split("\n").map(columnsOf)).toEqual([40, 20]);
  });
});
