import type { types } from "@slack/bolt";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Button, Reply, Section } from "../../src/commands/reply.ts";
import { openConnectionsSteps } from "../../src/policy/open-connections.ts";
import { verdict } from "../../src/policy/verdict.ts";
import { clean, escapeMrkdwn } from "../../src/slack/escape.ts";
import { type Message, renderPlainly, renderReply } from "../../src/slack/render.ts";
import { card, confirmButton } from "./replies.ts";

const render = (differing: Partial<Reply>): Message => renderReply(card(differing), "/np");

test("A card is a header, its sections, its buttons and its small print, in that order", () => {
  const { blocks } = render({
    tone: "good",
    headline: "ISOLATED FOR NEW CONNECTIONS",
    sections: [{ kind: "text", text: "Open connections may survive." }],
    buttons: [confirmButton],
    footer: ["q-7f3kabc", "entry 12"],
  });
  expect(blocks).toEqual([
    { type: "header", text: { type: "plain_text", text: "✔ ISOLATED FOR NEW CONNECTIONS", emoji: false } },
    {
      type: "rich_text",
      elements: [{ type: "rich_text_section", elements: [{ type: "text", text: "Open connections may survive." }] }],
    },
    {
      type: "actions",
      elements: [
        {
          type: "button",
          text: { type: "plain_text", text: "Confirm", emoji: false },
          action_id: "np:confirm",
          value: "q-7f3kabc",
          style: "danger",
        },
      ],
    },
    {
      type: "context",
      elements: [
        { type: "plain_text", text: "q-7f3kabc", emoji: false },
        { type: "plain_text", text: "entry 12", emoji: false },
      ],
    },
  ]);
});

const open = {
  namespace: "payments",
  pod: "checkout-7d9f8c6b5-x2x4p",
  nodeName: "ip-192-168-100-100.eu-central-1.compute.internal",
  podIPs: ["192.168.100.101", "fd00:1234:5678:9abc:def0:1234:5678:9abc"],
};

test("Commands against open connections are whole on a card, also of a pod with two addresses", () => {
  const items = openConnectionsSteps("unknown", open);
  const shown = JSON.stringify(render({ sections: [{ kind: "list", title: undefined, items }] }).blocks);
  expect(items).toHaveLength(3);
  for (const item of items) expect(shown).toContain(item);
});

test("A verdict is whole in the header, however long the name behind it is", () => {
  const found = verdict({
    mismatch: undefined,
    residual: [{ policy: "p", allows: "", claim: `policy ${"p".repeat(60)} still lets it out to anywhere on 443` }],
    enforcement: "enforced",
    unread: [],
    realised: { state: "no-status", words: "this engine has no status" },
    openConnections: "unknown",
    plugin: undefined,
    pod: open,
  });
  const [header] = render({ tone: "bad", headline: `${found.headline} (payments/${"x".repeat(253)})` }).blocks;
  expect(JSON.stringify(header)).toContain(`✖ ${found.headline} (payments/`);
});

test("Fields are lines with a bold label; an empty value is a dash", () => {
  const [, fields] = render({
    sections: [
      {
        kind: "fields",
        fields: [
          ["Pod", "a/b"],
          ["Node", ""],
        ],
      },
    ],
  }).blocks;
  expect(fields).toEqual({
    type: "rich_text",
    elements: [
      {
        type: "rich_text_section",
        elements: [
          { type: "text", text: "Pod: ", style: { bold: true } },
          { type: "text", text: "a/b\n" },
        ],
      },
      {
        type: "rich_text_section",
        elements: [
          { type: "text", text: "Node: ", style: { bold: true } },
          { type: "text", text: "–\n" },
        ],
      },
    ],
  });
});

test("A list is a bulleted list, and says how many items it leaves out", () => {
  const items = Array.from({ length: 42 }, (_, at) => `pod-${at}`);
  const { blocks } = render({ sections: [{ kind: "list", title: "Services it leaves", items }] });
  const [, list] = (blocks[1] as types.RichTextBlock).elements as [unknown, types.RichTextList];
  expect(list).toMatchObject({ type: "rich_text_list", style: "bullet" });
  expect(list.elements).toHaveLength(31);
  expect(JSON.stringify(list.elements.at(-1))).toContain("… and 12 more, see /np audit");
});

test("Code is preformatted, and says where it was cut", () => {
  const { blocks } = render({ sections: [{ kind: "code", title: "NetworkPolicy", text: "x".repeat(9_000) }] });
  const json = JSON.stringify(blocks[1]);
  expect(json).toContain("rich_text_preformatted");
  expect(json).toContain("(cut short, see /np audit)");
});

test("Hostile strings reach only places that Slack does not read as mrkdwn", () => {
  const hostile = "<!channel> *bold* _it_ `code` <@U1|x> :tada: \u202Egnp.exe";
  const message = render({
    headline: hostile,
    sections: [
      { kind: "text", text: hostile },
      { kind: "fields", fields: [[hostile, hostile]] },
      { kind: "list", title: hostile, items: [hostile] },
      { kind: "code", title: hostile, text: hostile },
    ],
    buttons: [{ ...confirmButton, label: hostile }],
    footer: [hostile],
  });
  expect(JSON.stringify(message.blocks)).not.toContain("mrkdwn");
  expect(JSON.stringify(message)).not.toContain("\u202E");
  expect(message.text).not.toContain("<");
  expect(JSON.stringify(message.blocks)).toContain("<!channel>");
});

test("The text alone tells the whole card, for those who hear it read", () => {
  const { text } = render({
    headline: "Plan for a/b",
    sections: [
      { kind: "fields", fields: [["Reason", "odd <egress>"]] },
      { kind: "list", title: "Leaves", items: ["svc-1", "svc-2"] },
    ],
    buttons: [confirmButton],
    footer: ["q-7f3kabc"],
  });
  expect(text).toBe("Plan for a/b – Reason: odd &lt;egress&gt; – Leaves: svc-1; svc-2 – Buttons: Confirm – q-7f3kabc");
});

test("Buttons without an operation, and a second button for the same action, are left out", () => {
  expect(render({ operation: undefined, buttons: [confirmButton] }).blocks).toHaveLength(1);
  const [, actions] = render({ buttons: [confirmButton, { ...confirmButton, label: "Again" }] }).blocks;
  expect((actions as types.ActionsBlock).elements).toHaveLength(1);
});

test("When not everything fits, every section is cut before any is dropped, and the buttons stay", () => {
  const sections = Array.from(
    { length: 20 },
    (_, at): Section => ({ kind: "text", text: `${at} ${"x".repeat(2_000)}` }),
  );
  const { blocks } = render({ sections, buttons: [confirmButton] });
  expect(blocks.filter(({ type }) => type === "rich_text")).toHaveLength(20);
  expect(blocks.map(({ type }) => type)).toContain("actions");
  const many = Array.from({ length: 80 }, (): Section => ({ kind: "text", text: "short" }));
  expect(JSON.stringify(render({ sections: many }).blocks)).toContain("… and 40 more parts, see /np audit");
});

test("The plain form has the buttons and no form", () => {
  const { blocks } = renderPlainly(card({ sections: [{ kind: "text", text: "why" }], buttons: [confirmButton] }));
  expect(blocks.map(({ type }) => type)).toEqual(["section", "actions"]);
});

const hostileText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ unit: "grapheme", maxLength: 400 }),
  fc.constantFrom("", " ", "\u200b", "<!channel>", "&", "<@U1>", "💥".repeat(3_000), "&<>".repeat(4_000), "\uD800"),
);
const content: fc.Arbitrary<Section> = fc.oneof(
  fc.record({ kind: fc.constant("text"), text: hostileText }),
  fc.record({
    kind: fc.constant("row"),
    text: hostileText,
    subject: hostileText.map((text) => text.slice(0, 9)),
    buttons: fc.array(fc.record({ action: fc.constantFrom("show-diff", "roll-back"), label: hostileText }), {
      maxLength: 2,
    }),
  }),
  fc.record({ kind: fc.constant("fields"), fields: fc.array(fc.tuple(hostileText, hostileText), { maxLength: 40 }) }),
  fc.record({
    kind: fc.constant("list"),
    title: fc.option(hostileText, { nil: undefined }),
    items: fc.array(hostileText, { maxLength: 60 }),
  }),
  fc.record({ kind: fc.constant("code"), title: fc.option(hostileText, { nil: undefined }), text: hostileText }),
);
test("Ten lines of a history keep their buttons, each with its own change, however long the lines are", () => {
  const sections = Array.from({ length: 10 }, (_, at): Section => {
    const buttons = [
      { action: "show-diff", label: "Show diff" },
      { action: "roll-back", label: "Roll back" },
    ] as const;
    return { kind: "row", text: `${at} ${"x".repeat(1_500)}`, subject: `v-000000${at}`, buttons };
  });
  const ids = sections.map((_, at) => `v-000000${at}`);
  const { blocks } = renderReply({ ...card({ sections, buttons: [] }), operation: undefined }, "/np");
  expect(Buffer.byteLength(JSON.stringify(blocks))).toBeLessThanOrEqual(12_000);
  const values = blocks.flatMap((block) => (block.type === "actions" ? (block.elements as types.Button[]) : []));
  expect(values.map(({ value }) => value)).toEqual(ids.flatMap((id) => [id, id]));
  expect(JSON.stringify(blocks)).toContain("9 xxx");
});

const section: fc.Arbitrary<Section> = fc
  .tuple(content, fc.boolean())
  .map(([one, must]) => (must ? { ...one, mustRead: true } : one));
const button: fc.Arbitrary<Button> = fc.record({
  action: fc.constantFrom("confirm", "confirm-again", "cancel", "release", "keep", "show"),
  label: hostileText,
  style: fc.constantFrom("primary", "danger", undefined),
});
const reply: fc.Arbitrary<Reply> = fc.record({
  shape: fc.constantFrom("card", "note"),
  headline: hostileText,
  tone: fc.constantFrom("neutral", "good", "warning", "bad"),
  sections: fc.array(section, { maxLength: 70 }),
  buttons: fc.array(button, { maxLength: 30 }),
  footer: fc.array(hostileText, { maxLength: 15 }),
  operation: fc.option(hostileText, { nil: undefined }),
  outcome: fc.constant("ok"),
});

function everyText(value: unknown): { readonly type: unknown; readonly text: string }[] {
  if (Array.isArray(value)) return value.flatMap(everyText);
  if (typeof value !== "object" || value === null) return [];
  const own =
    "text" in value && typeof value.text === "string" ? [{ type: Reflect.get(value, "type"), text: value.text }] : [];
  return [...own, ...Object.values(value).flatMap(everyText)];
}

function limitsHold({ text, blocks }: Message): void {
  expect(text.length).toBeGreaterThan(0);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(3_500);
  expect(text).not.toMatch(/[<>]|&(?!(amp|lt|gt);)/);
  expect(blocks.length).toBeLessThanOrEqual(50);
  expect(Buffer.byteLength(JSON.stringify(blocks))).toBeLessThanOrEqual(12_000);
  for (const block of blocks) blockHolds(block);
  for (const one of everyText(blocks)) {
    expect(one.type).not.toBe("mrkdwn");
    expect(one.text.length).toBeGreaterThan(0);
    expect(one.text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}]/u);
  }
}

function blockHolds(block: types.KnownBlock): void {
  if (block.type === "header") expect(block.text.text.length).toBeLessThanOrEqual(150);
  if (block.type === "section") expect(block.text?.text.length).toBeLessThanOrEqual(3_000);
  if (block.type === "context") {
    expect(block.elements.length).toBeLessThanOrEqual(10);
    expect(block.elements.length).toBeGreaterThan(0);
  }
  if (block.type !== "actions") return;
  const buttons = block.elements as types.Button[];
  expect(buttons.length).toBeLessThanOrEqual(25);
  expect(new Set(buttons.map(({ action_id }) => action_id)).size).toBe(buttons.length);
  for (const { text, value } of buttons) {
    expect(text.text.length).toBeLessThanOrEqual(75);
    expect(value?.length).toBeLessThanOrEqual(2_000);
  }
}

function offersConfirm(blocks: readonly types.KnownBlock[]): boolean {
  return /"action_id":"np:confirm(-again)?"/.test(JSON.stringify(blocks));
}

/** Everything in the sections that must be read before Confirm, as it is shown: cleaned, but not cut. */
function mustBeShown({ sections }: Reply): readonly string[] {
  return sections
    .filter(({ mustRead }) => mustRead)
    .flatMap((one) => {
      if (one.kind === "fields") return one.fields.map(([, value]) => value);
      return one.kind === "list" ? one.items : [one.text];
    });
}

const bare = (text: string): string => clean(text).replaceAll(/\s/g, "");

test("Confirm is offered only where the blocks show in full all that must be read, which the text begins with", () => {
  let offered = 0;
  fc.assert(
    fc.property(reply, (any) => {
      const asking: Reply = { ...any, operation: "q-1", buttons: [confirmButton, ...any.buttons] };
      for (const message of [renderReply(asking, "/np"), renderPlainly(asking)]) {
        if (!offersConfirm(message.blocks)) continue;
        offered += 1;
        const shown = bare(
          everyText(message.blocks)
            .map(({ text }) => text)
            .join(""),
        );
        const told = bare(message.text);
        const wholly = !message.text.endsWith("\nThe rest is in the message itself.");
        for (const one of mustBeShown(asking)) {
          expect(shown).toContain(bare(one));
          if (wholly) expect(told).toContain(bare(escapeMrkdwn(one)));
        }
      }
    }),
    { numRuns: 100 },
  );
  expect(offered).toBeGreaterThan(10);
}, 60_000);

test("A plan that has no room has no Confirm, and says how to see and confirm it", () => {
  const items = Array.from({ length: 300 }, (_, at) => `policy-${at} ${"x".repeat(60)}`);
  const cancel: Button = { action: "cancel", label: "Cancel", style: undefined };
  const long = card({
    sections: [{ kind: "list", title: "Warning", items, mustRead: true }],
    buttons: [confirmButton, cancel],
    atTerminal: "bulkhead quarantine a/b --dry-run",
  });
  for (const { blocks, text } of [renderReply(long, "/np"), renderPlainly(long)]) {
    expect(offersConfirm(blocks)).toBe(false);
    expect(JSON.stringify(blocks)).toContain('"np:cancel"');
    expect(JSON.stringify(blocks)).toContain("bulkhead quarantine a/b --dry-run. With --yes instead of --dry-run");
    expect(text).toContain("bulkhead quarantine a/b --dry-run");
  }
});

test("What must be read keeps its length while the rest is cut to make room for it", () => {
  const items = Array.from({ length: 90 }, (_, at) => `policy-${at} ${"x".repeat(60)}`);
  const must: Section = { kind: "list", title: "Warning", items, mustRead: true };
  const rest: Section = { kind: "text", text: "y".repeat(9_000) };
  const { blocks, text } = render({ sections: [rest, must], buttons: [confirmButton] });
  expect(offersConfirm(blocks)).toBe(true);
  for (const item of items) {
    expect(
      everyText(blocks)
        .map((one) => one.text)
        .join(""),
    ).toContain(item);
  }
  expect(text.indexOf("policy-0")).toBeGreaterThan(0);
  expect(text).toMatch(/…\nThe rest is in the message itself\.$/);
  expect(text).not.toContain("yyy");
});

test("Whatever a reply holds, its message is within every limit and nothing in it can act (invariant 11)", () => {
  fc.assert(
    fc.property(reply, (any) => {
      limitsHold(renderReply(any, "/np"));
      limitsHold(renderPlainly(any));
    }),
    { numRuns: 150 },
  );
}, 60_000);

test("Whom a reply mentions is notified by Slack's own ids alone, and no other string of it becomes a mention", () => {
  const mentions = ["slack:T1/U2", "slack-group:T1/S7", "terminal:jane", "slack:T1/U3> <!channel", "person:bob"];
  const { text, blocks } = render({
    headline: "Approval needed",
    mentions,
    sections: [{ kind: "text", text: "<@U9>" }],
  });
  expect(text).toBe("<@U2> <!subteam^S7> Approval needed – &lt;@U9&gt;");
  expect(blocks[1]).toEqual({
    type: "rich_text",
    elements: [
      {
        type: "rich_text_section",
        elements: [
          { type: "user", user_id: "U2" },
          { type: "text", text: " " },
          { type: "usergroup", usergroup_id: "S7" },
          { type: "text", text: " " },
        ],
      },
    ],
  });
  expect(JSON.stringify(blocks.slice(2))).not.toMatch(/"user_id"|"usergroup_id"/);
});

test("Approve is not offered where the plan cannot be shown in full, and Deny is", () => {
  const approve: Button = { action: "approve", label: "Approve", style: "danger" };
  const deny: Button = { action: "deny", label: "Deny", style: undefined };
  const items = Array.from({ length: 300 }, (_, at) => `change ${at} ${"x".repeat(80)}`);
  const sections: Section[] = [{ kind: "list", title: "What opens", items, mustRead: true }];
  const { blocks } = render({ buttons: [approve, deny], sections, atTerminal: "bulkhead approve a-7f3kabc --dry-run" });
  const shown = JSON.stringify(blocks);
  expect(shown).not.toContain("np:approve");
  expect(shown).toContain("np:deny");
  expect(shown).toContain("bulkhead approve a-7f3kabc --dry-run");
});
