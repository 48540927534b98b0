import { expect, test } from "vitest";
import type { Reply } from "../src/commands/reply.ts";
import { replyText } from "../src/terminal-text.ts";

function listed(item: string): Reply {
  return {
    shape: "note",
    headline: "Told",
    tone: "neutral",
    sections: [{ kind: "list", title: undefined, items: [item] }],
    buttons: [],
    footer: [],
    operation: undefined,
    outcome: "ok",
  };
}

test("A command at the end stands on a line of its own and is not broken, since half of it could do more than the whole", () => {
  const command = "kubectl debug node/node-a -it -- sh -c 'conntrack -D -s 10.0.0.1; conntrack -D -d 10.0.0.1'";
  const text = replyText(listed(`To make the node forget them (not where eBPF keeps its own table): ${command}`), 60);
  expect(text.split("\n")).toContain(`    ${command}`);
});

test("A command is typed as it is here, wherever a line ends", () => {
  for (const width of [20, 30, 40, 50, 60]) {
    const text = replyText(listed("Look at what is in force with /np status payments, and wait for it to end."), width);
    expect(text.replaceAll(/\s+/g, " ")).toContain("with bulkhead status payments,");
  }
});

test("What fits stays on one line", () => {
  expect(replyText(listed("To end it: /np release q-1"), 60)).toContain("  - To end it: bulkhead release q-1\n");
});
