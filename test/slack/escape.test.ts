import fc from "fast-check";
import { expect, test } from "vitest";
import { clean, cut, escapeMrkdwn, oneLine } from "../../src/slack/escape.ts";

const anything = fc.string({ unit: "binary", maxLength: 60 });

test("Control, bidirectional, zero-width and tag characters are taken out, line breaks stay", () => {
  expect(clean("a\u0000b\u001b[31mc\u0007")).toBe("ab[31mc");
  expect(clean("safe\u202Eexe.\u2066x\u2069")).toBe("safeexe.x");
  expect(clean("pay\u200Bments\uFEFF\u2060\u00AD\u{E0041}")).toBe("payments");
  expect(clean("one\r\ntwo\rthree\u2028four\u0085five")).toBe("one\ntwo\nthree\nfour\nfive");
  expect(clean("tab\tstop")).toBe("tab  stop");
});

test("A lone surrogate becomes the replacement character", () => {
  expect(clean("a\uD800b")).toBe("a\uFFFDb");
});

test("Text in other scripts stays as it is", () => {
  expect(clean("支払い サービス — Größe, Платёж, مدفوعات 🚀")).toBe("支払い サービス — Größe, Платёж, مدفوعات 🚀");
});

test("One line has no line breaks and no doubled spaces", () => {
  expect(oneLine("  a \n\n b\u2029c  ")).toBe("a b c");
});

test("Mentions and links cannot come about in mrkdwn", () => {
  expect(escapeMrkdwn("<!channel> <@U1> <https://x|y> & &lt;")).toBe(
    "&lt;!channel&gt; &lt;@U1&gt; &lt;https://x|y&gt; &amp; &amp;lt;",
  );
});

test("Any text, escaped, holds no special sign that is not part of an entity", () => {
  fc.assert(
    fc.property(anything, (text) => {
      const escaped = escapeMrkdwn(text);
      expect(escaped).not.toMatch(/[<>]|&(?!(amp|lt|gt);)/);
      expect(escaped).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
      expect(escaped.isWellFormed()).toBe(true);
    }),
  );
});

test("A cut text is no longer than asked for, well-formed, and says that it was cut", () => {
  expect(cut("abcdef", 4)).toBe("abc…");
  expect(cut("abcd", 4)).toBe("abcd");
  expect(cut("ab🚀cd", 4)).toBe("ab…");
  fc.assert(
    fc.property(anything, fc.integer({ min: 1, max: 20 }), (text, length) => {
      const shown = cut(clean(text), length);
      expect(shown.length).toBeLessThanOrEqual(length);
      expect(shown.isWellFormed()).toBe(true);
    }),
  );
});
