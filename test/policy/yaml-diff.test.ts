import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { Image } from "../../src/policy/revision.ts";
import { unifiedDiff } from "../../src/policy/unified-diff.ts";
import { yamlDiff, yamlOf } from "../../src/policy/yaml-diff.ts";

const web: Image = {
  kind: "NetworkPolicy",
  apiVersion: "networking.k8s.io/v1",
  spec: {
    policyTypes: ["Ingress"],
    podSelector: { matchLabels: { app: "web" } },
    ingress: [{ ports: [{ port: 80 }] }],
  },
  metadata: { labels: { team: "shop" }, namespace: "shop", name: "web" },
};

test("A diff of two images says line by line what differs, with what is around it", () => {
  const to: Image = {
    ...web,
    metadata: { ...web.metadata, labels: { team: "shop", tier: "front" } },
    spec: { ...web.spec, ingress: [{ ports: [{ port: 80 }, { port: 443 }] }] },
  };
  expect(yamlDiff(web, to)).toEqual({
    text: [
      "@@ -5,10 +5,12 @@ metadata:",
      "   namespace: shop",
      "   labels:",
      "     team: shop",
      "+    tier: front",
      " spec:",
      "   ingress:",
      "     - ports:",
      "         - port: 80",
      "+        - port: 443",
      "   podSelector:",
      "     matchLabels:",
      "       app: web",
    ].join("\n"),
    added: 2,
    removed: 0,
    left: 0,
  });
});

test("Images that differ in the order of their keys alone do not differ", () => {
  const { kind, apiVersion, metadata, spec } = web;
  expect(
    yamlDiff(web, { apiVersion, metadata, kind, spec: Object.fromEntries(Object.entries(spec).toReversed()) }),
  ).toEqual({
    text: "",
    added: 0,
    removed: 0,
    left: 0,
  });
});

test("What was not there comes whole, and what is not there any more goes whole", () => {
  const lines = yamlOf(web).trimEnd().split("\n");
  expect(yamlDiff(undefined, web).text.split("\n")).toEqual([
    `@@ -0,0 +1,${lines.length} @@`,
    ...lines.map((line) => `+${line}`),
  ]);
  expect(yamlDiff(web, undefined)).toMatchObject({ added: 0, removed: lines.length });
});

test("An annotation that is a document is shortened, and still differs where it does", () => {
  const key = "kubectl.kubernetes.io/last-applied-configuration";
  const applied = (text: string): Image => ({ ...web, metadata: { ...web.metadata, annotations: { [key]: text } } });
  const { text } = yamlDiff(applied("a".repeat(3_000)), applied(`${"a".repeat(2_999)}b`));
  expect(text).toMatch(/^-    kubectl.+: \(3000 characters, sha256 [0-9a-f]{12}\)$/m);
  expect(text).toMatch(/^\+    kubectl.+: \(3000 characters, sha256 [0-9a-f]{12}\)$/m);
});

test("A large diff is cut at its bounds and says how much is left out", () => {
  const ports = Array.from({ length: 900 }, (_, port) => ({ port }));
  const many: Image = { ...web, spec: { ...web.spec, ingress: [{ ports }] } };
  const { text, left, added } = yamlDiff(web, many, { mostLines: 20 });
  expect(text.split("\n")).toHaveLength(21);
  expect(text).toContain(`… and ${left} more lines`);
  expect(added).toBe(899);
  expect(yamlDiff(web, many, { mostChars: 200 }).text.length).toBeLessThan(240);
  const wide: Image = { ...web, spec: { podSelector: { matchLabels: { app: "x".repeat(100_000) } } } };
  expect(yamlDiff(web, wide).text.length).toBeLessThan(1_000);
});

test("The YAML of any image reads back as the image", () => {
  const hostile: Image = {
    ...web,
    metadata: { ...web.metadata, labels: { "a: b": "- x\n```\u0007", y: "no", n: "1e3" } },
  };
  expect(parse(yamlOf(hostile))).toEqual(hostile);
});

const line = fc.constantFrom("a", "b", "c", "  d", "e");
const text = fc.array(line, { maxLength: 25 });

test("Any diff turns the one text into the other, where its numbers say", () => {
  fc.assert(
    fc.property(text, text, (from, to) => {
      expect(applied(from, unifiedDiff(from, to))).toEqual(to);
    }),
    { numRuns: 300 },
  );
});

/** Strict: what a hunk says of lines and of numbers has to be so. */
function applied(from: readonly string[], diff: readonly string[]): readonly string[] {
  const out: string[] = [];
  let read = 0;
  for (const each of diff) {
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(each);
    if (head !== null) {
      const [old, olds = "1", now, nows = "1"] = head.slice(1);
      const start = Number(old) - (olds === "0" ? 0 : 1);
      out.push(...from.slice(read, start));
      read = start;
      expect(out.length).toBe(Number(now) - (nows === "0" ? 0 : 1));
    } else if (each.startsWith("+")) out.push(each.slice(1));
    else {
      expect(from[read]).toBe(each.slice(1));
      read += 1;
      if (each.startsWith(" ")) out.push(each.slice(1));
    }
  }
  return [...out, ...from.slice(read)];
}
