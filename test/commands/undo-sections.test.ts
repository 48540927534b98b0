import { expect, test } from "vitest";
import type { Reply } from "../../src/commands/reply.ts";
import { undoSections } from "../../src/commands/undo-sections.ts";
import { refuseLarge } from "../../src/commands/undo-size.ts";
import type { Image } from "../../src/policy/revision.ts";
import type { UndoPlan } from "../../src/policy/undo-plan.ts";
import { renderReply } from "../../src/slack/render.ts";
import { replyText } from "../../src/terminal-text.ts";

const web = (port: number, tracked = true): Image => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: {
    name: "web",
    namespace: "shop",
    ...(tracked
      ? { annotations: { "argocd.argoproj.io/tracking-id": "shop:networking.k8s.io/NetworkPolicy:shop/web" } }
      : {}),
  },
  spec: { podSelector: {}, ingress: [{ ports: [{ port }] }] },
});

function told(from: Image | undefined, to: Image | undefined): readonly string[] {
  const plan = { changes: [], opens: ["a → b"], closes: [], undecided: [], owners: [], warnings: [] };
  const sections = undoSections({ ...plan, writes: [{ from, uid: "u", to }] } as unknown as UndoPlan);
  return sections
    .slice(-1)
    .map((section) => ("text" in section ? `${"title" in section ? section.title : ""}|${section.text}` : ""));
}

test("Where a repository would bring it back, the plan says what is to be committed there", () => {
  expect(told(web(80), web(81))).toEqual([
    "|For the repository of Argo CD shop, commit this change: NetworkPolicy shop/web, as above.",
  ]);
  const [restored = ""] = told(undefined, web(80));
  expect(restored).toContain("For the repository of Argo CD shop, add it: NetworkPolicy shop/web|@@ -0,0 +1,");
  expect(restored).not.toContain("tracking-id");
  expect(told(web(80, false), web(81, false))).toEqual([expect.stringMatching(/^change NetworkPolicy shop\/web\|/)]);
});

/** With so many ports, and a description that is long for a line. */
const many = (ports: number): Image => ({
  ...web(80),
  spec: {
    podSelector: {},
    ingress: [{ ports: Array.from({ length: ports }, (_, port) => ({ port })) }],
    about: `${"long ".repeat(100)}end`,
  },
});

function cardOf(writes: UndoPlan["writes"], action: "confirm" | "approve"): Reply {
  const plan = { changes: [], opens: [], closes: [], undecided: [], owners: [], warnings: [], writes };
  return {
    shape: "card",
    headline: "Plan",
    tone: "neutral",
    sections: undoSections(plan as unknown as UndoPlan),
    buttons: [{ action, label: action, style: "danger" }],
    footer: [],
    operation: "u-1234567",
    outcome: "needs-confirmation",
    atTerminal: "bulkhead rollback --dry-run",
  };
}

test("Nobody can agree to what was cut: all of it is on the card, or at a terminal without the button", () => {
  const few = Array.from({ length: 12 }, () => ({ from: web(80), uid: "u", to: web(81) }));
  const blocks = (writes: UndoPlan["writes"], action: "confirm" | "approve") =>
    JSON.stringify(renderReply(cardOf(writes, action), "/np").blocks);
  expect(blocks(few, "confirm").match(/- +- port: 80/g)).toHaveLength(12);
  expect(blocks(few, "confirm")).toContain("np:confirm");
  const large = [...few, { from: undefined, uid: undefined, to: many(350) }];
  for (const action of ["confirm", "approve"] as const) {
    expect(blocks(large, action)).not.toContain(`np:${action}`);
    expect(blocks(large, action)).toContain("too long for Slack");
    expect(blocks(large, action)).toContain("bulkhead rollback --dry-run");
  }
  const text = replyText(cardOf(large, "confirm"), 80);
  expect(text).not.toMatch(/more lines|…/);
  expect(text).toMatch(/\+ *- port: 349/);
  expect(text).toContain("long end");
});

test("A plan is not larger than can be kept and read", () => {
  const big = { ...web(80), spec: { about: "x".repeat(1_500_000) } };
  expect(refuseLarge([{ from: big, uid: "u", to: big }])).toBeUndefined();
  expect(
    refuseLarge([
      { from: big, uid: "u", to: big },
      { from: big, uid: "u", to: undefined },
    ]),
  ).toMatchObject({
    reason: expect.stringContaining("4.5 MB"),
  });
});
