import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTemplate } from "../src/template-file.ts";
import { goodText, withPart } from "./template-texts.ts";

const file = "egress-to-cidr.yaml";
const opens = "{ from: { workload: $workload }, to: { cidr: $cidr }, ports: [{ port: $port, protocol: TCP }] }";
const port = "port: { type: port, default: 443, oneOf: [443, 8443], about: the port there }";
const ttl = "{ default: 30m, max: 4h, total: 12h }";

const bomb = `a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: [*c, *c, *c, *c, *c, *c, *c, *c, *c]
${goodText}`;

/** What is wrong; the text; the line (0: the whole file) and the reason that are told. */
const broken: readonly (readonly [string, string, number, RegExp])[] = [
  ["nothing", "", 0, /is empty/],
  ["only a comment", "# to do\n", 0, /is empty/],
  ["a list", "- version: 1\n", 1, /template: is a list; expected a mapping/],
  ["a text", "egress-to-cidr\n", 1, /template: is text; expected a mapping/],
  ["a bomb of aliases", bomb, 1, /has an anchor \(&\): write it out/],
  ["an alias of nothing", withPart("title: Open egress to one CIDR", "title: *t"), 3, /alias/i],
  ["brackets within brackets, ten thousand deep", "[".repeat(10_000), 1, /nested too deep/],
  ["mappings within mappings, two thousand deep", "{a: ".repeat(2_000), 1, /nested too deep/],
  ["a bracket that is not closed", withPart(ttl, "{ default: 30m"), 14, /is not YAML/],
  ["a tab for indentation", withPart("  workload:", "\tworkload:"), 8, /is not YAML/],
  ["a tag", withPart("title: Open", "title: !!js/function Open"), 3, /tag|is not YAML/i],
  ["binary", withPart("title: Open egress to one CIDR", "title: !!binary T3Blbg=="), 3, /tag/],
  ["two documents", `${goodText}---\n${goodText}`, 17, /several documents/],
  ["a key twice", `${goodText}owner: me\n`, 17, /stands twice/],
  ["an unknown key", `${goodText}reviews: true\n`, 17, /reviews: is no key here. Did you mean review\?/],
  ["a key __proto__", `${goodText}__proto__: { wide: true }\n`, 17, /__proto__: is no key here/],
  ["no version", withPart("version: 1\n", ""), 1, /version: is missing|version: expected one of 1/],
  ["a later version", withPart("version: 1", "version: 2"), 1, /version: expected one of 1/],
  ["a version in words", withPart("version: 1", "version: one"), 1, /version: expected one of 1/],
  ["another name than the file's", withPart("name: egress", "name: agress"), 2, /its file's name is egress-to-cidr/],
  ["a name with a path", withPart("name: egress-to-cidr", "name: ../../etc/passwd"), 2, /name: is no name/],
  ["a name with capitals", withPart("name: egress", "name: Egress"), 2, /name: is no name/],
  ["a name of 41", withPart("name: egress-to-cidr", `name: ${"a".repeat(41)}`), 2, /at most 40/],
  ["a name that is a number", withPart("name: egress-to-cidr", "name: 42"), 2, /name: is a number; expected text/],
  [
    "a procedure elsewhere",
    withPart("procedure: egress", "procedure: ../egress"),
    6,
    /procedure: is no name of a file/,
  ],
  [
    "a title of two lines",
    withPart("title: Open egress", 'title: "Open\\negress"'),
    3,
    /title: has control|is not YAML/,
  ],
  ["a title that reads backwards", withPart("title: Open", "title: O\u202epen"), 3, /invisible characters/],
  ["an endless title", withPart("title: Open", `title: ${"very ".repeat(40)}open`), 3, /longer than 80/],
  ["no owner", withPart("owner: platform-network\n", ""), 1, /owner: is missing; expected text/],
  ["an owner that is empty", withPart("owner: platform-network", "owner:"), 5, /owner: is empty; expected text/],
  ["an unknown type", withPart("type: cidr", "type: cdir"), 9, /expected one of .*Did you mean cidr\?/],
  ["a parameter that is a text", withPart(port, "port: 443"), 10, /parameters.port: expected a mapping/],
  ["a parameter's name with a dot", withPart("  port:", "  p.ort:"), 10, /p.ort: is no name for a parameter/],
  [
    "a parameter named like a word of the command",
    withPart("  port:", "  cluster:"),
    10,
    /is a word of the command itself/,
  ],
  ["a parameter that nothing uses", withPart("port: $port,", "port: 443,"), 10, /is used by no opening/],
  [
    "an unknown parameter",
    withPart("port: $port,", "port: $prot,"),
    12,
    /there is no parameter prot. Did you mean port\?/,
  ],
  ["a parameter of another type", withPart("cidr: $cidr", "cidr: $port"), 12, /parameter port is a port, not a cidr/],
  ["no widest", withPart("widest: { ipv4: 24, ipv6: 64 }, ", ""), 9, /widest: is missing/],
  ["an empty widest", withPart("{ ipv4: 24, ipv6: 64 }", "{}"), 9, /widest: needs ipv4 or ipv6/],
  ["a widest of everything", withPart("ipv4: 24", "ipv4: 0"), 9, /widest.ipv4: too small/],
  ["a widest of half of IPv6", withPart("ipv6: 64", "ipv6: 1"), 9, /widest.ipv6: too small/],
  ["a widest beyond the family", withPart("ipv4: 24", "ipv4: 33"), 9, /widest.ipv4: too big/],
  ["a default with host bits", withPart("about: where to", "about: x, default: 10.0.0.1/24"), 9, /has host bits set/],
  ["a default that is too wide", withPart("about: where to", "about: x, default: 10.0.0.0/8"), 9, /is wider than \/24/],
  ["within with host bits", withPart("about: where to", "about: x, within: [10.0.0.1/8]"), 9, /has host bits set/],
  ["a port of 0", withPart("oneOf: [443, 8443]", "oneOf: [0]"), 10, /oneOf.0: too small/],
  ["a port that is a text", withPart("oneOf: [443, 8443]", "oneOf: [https]"), 10, /oneOf.0: is text; expected/],
  [
    "a port's default out of its list",
    withPart("default: 443", "default: 80"),
    10,
    /default: 80 is not one of 443, 8443/,
  ],
  ["bounds of ports the wrong way", withPart("oneOf: [443, 8443]", "min: 500, max: 400"), 10, /min: is above max, 400/],
  ["bounds of ports beside a list", withPart("default: 443,", "min: 400,"), 10, /oneOf: stands beside min or max/],
  ["the same port twice", withPart("[443, 8443]", "[443, 443]"), 10, /443 stands there twice/],
  ["an unknown protocol", withPart("protocol: TCP", "protocol: ICMP"), 12, /ICMP is not one of TCP, UDP, SCTP/],
  [
    "an end of a range below its port",
    withPart("protocol: TCP", "endPort: 80"),
    12,
    /endPort: is below the port, which may be 8443/,
  ],
  ["no openings", withPart(`- ${opens}`, "[]"), 11, /opens: opens nothing/],
  [
    "an opening without an end",
    withPart("to: { cidr: $cidr }, ", ""),
    12,
    /opens.0.to: expected a mapping with one of/,
  ],
  [
    "an end of two kinds",
    withPart("{ cidr: $cidr }", "{ cidr: $cidr, namespace: a }"),
    12,
    /is namespace and cidr|is cidr and namespace/,
  ],
  ["an end of no kind", withPart("{ cidr: $cidr }", "{ cird: $cidr }"), 12, /Did you mean cidr\?/],
  ["no pods at either end", withPart("{ workload: $workload }", "{ cidr: $cidr }"), 12, /neither end is a workload/],
  ["a CIDR of everything", withPart("cidr: $cidr }", "cidr: 0.0.0.0/0 }"), 12, /is every IPv4 address there is/],
  ["a CIDR of all IPv6", withPart("cidr: $cidr }", 'cidr: "::/0" }'), 12, /is every IPv6 address there is/],
  [
    "an exception outside",
    withPart("cidr: $cidr }", "cidr: 10.0.0.0/8, except: [11.0.0.0/16] }"),
    12,
    /except.0: is not a part/,
  ],
  ["anywhere, not wide", withPart("{ cidr: $cidr }", "{ anywhere: true }"), 12, /anywhere needs wide: true/],
  ["all ports, not wide", withPart(", ports: [{ port: $port, protocol: TCP }]", ""), 12, /all ports need wide: true/],
  [
    "an empty list of ports",
    withPart("[{ port: $port, protocol: TCP }]", "[]"),
    12,
    /is empty, which would be all ports/,
  ],
  [
    "an empty selector of pods",
    withPart("{ cidr: $cidr }", "{ namespace: a, pods: {} }"),
    12,
    /which would be all pods/,
  ],
  ["ports of the cluster's DNS", withPart("{ cidr: $cidr }", "{ dns: true }"), 12, /are those of the cluster's DNS/],
  [
    "from the cluster's DNS",
    withPart("{ workload: $workload }", "{ dns: true }"),
    12,
    /the cluster's DNS opens no connections/,
  ],
  [
    "a label that is none",
    withPart("{ cidr: $cidr }", '{ namespace: a, pods: { app: "a b" } }'),
    12,
    /a b is no value of a label/,
  ],
  ["a negative TTL", withPart("default: 30m", "default: -30m"), 13, /"-30m" is no time/],
  ["a TTL of nothing", withPart("default: 30m", "default: 0s"), 13, /"0s" is no time/],
  ["a TTL that is a number", withPart("default: 30m", "default: 1800"), 13, /ttl.default: is a number; expected text/],
  ["an enormous TTL", withPart("max: 4h", "max: 99999999999999d"), 13, /is no time/],
  ["a total of eight days", withPart("total: 12h", "total: 8d"), 13, /ttl.total: is more than 7d/],
  ["a default above the most", withPart("default: 30m", "default: 5h"), 13, /ttl.default: is more than max/],
  ["the most above the total", withPart("total: 12h", "total: 3h"), 13, /ttl.max: is more than total/],
  ["no total", withPart(", total: 12h", ""), 13, /ttl.total: is missing/],
  ["no where", withPart('where: { namespaces: ["*"], clusters: ["*"] }\n', ""), 1, /where: is missing/],
  [
    "a namespace that is none",
    withPart('namespaces: ["*"]', 'namespaces: ["pay ments"]'),
    14,
    /is no namespace, prefix\* or \*/,
  ],
  ["no approvals", withPart("approvals: { count: 0 }\n", ""), 1, /approvals: is missing/],
  ["fewer approvals than none", withPart("count: 0", "count: -1"), 15, /count: too small/],
  ["approval by the pod", withPart("count: 0", "count: 1, from: [in-pod]"), 15, /is nobody who can approve/],
  [
    "approvers whom nobody asks",
    withPart("count: 0", "count: 0, from: [person:jane]"),
    15,
    /names people, and count is 0/,
  ],
  ["wide without approval", withPart("review: false", "wide: true"), 15, /what is wide needs at least one/],
  ["review in words", withPart("review: false", "review: sometimes"), 16, /review: is text; expected true or false/],
];

describe("A template file is refused with its line and the reason where it has", () => {
  test.each(broken)("%s", (_, text, line, reason) => {
    const read = readTemplate(file, text);
    if (!("problems" in read)) throw new Error("it was taken");
    const found = read.problems.filter((problem) => reason.test(problem.reason));
    expect(read.problems.map((problem) => `${problem.line}: ${problem.reason}`).join("\n")).toMatch(reason);
    expect(found.map((problem) => problem.line ?? 0)).toContain(line);
    expect(read.problems.every((problem) => problem.file === file)).toBe(true);
  });
});

test("All that is wrong with a file is told at once, by line", () => {
  const text = withPart("type: cidr", "type: cdir", withPart("30m", "-1m", withPart("owner: ", "owner_: ")));
  const read = readTemplate(file, text);
  expect("problems" in read ? read.problems.map(({ line }) => line) : []).toEqual([1, 5, 9, 13]);
});

test("Of a file that is wrong everywhere, twenty problems are told, and how many more there are", () => {
  const keys = Array.from({ length: 500 }, (_, index) => `k${index}: 1\n`).join("");
  for (const [text, others] of [
    [`${goodText}${keys}`, 480],
    ["]\n".repeat(500), 480],
    ["- &a x\n".repeat(500), 480],
  ] as const) {
    const read = readTemplate(file, text);
    const problems = "problems" in read ? read.problems : [];
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toEqual({ file, reason: `and ${others} more problems` });
  }
});

test("The version follows what a template says, not how it is written", () => {
  const versionOf = (text: string) => {
    const read = readTemplate(file, text);
    return "template" in read ? read.template.version : read.problems;
  };
  const version = versionOf(goodText);
  expect(version).toMatch(/^[0-9a-f]{12}$/);
  const respelled = `# A comment\n${withPart("review: false\n", "", withPart("{ count: 0 }", "\n  count: 0\n  from: []"))}`;
  expect(versionOf(respelled)).toBe(version);
  expect(versionOf(withPart("max: 4h", "max: 5h"))).not.toBe(version);
  expect(versionOf(withPart("ipv4: 24", "ipv4: 23"))).not.toBe(version);
});

test("Whatever stands in the middle of a file, it is a template or a list of problems with lines that there are", () => {
  const hostile = fc.constantFrom(
    "&a ",
    "*a",
    "!!str ",
    "{",
    "]",
    "\t",
    "? ",
    "<<: ",
    "null",
    "-1",
    "$",
    "---\n",
    "'",
    "\u0000",
  );
  const part = fc.oneof(hostile, fc.string({ maxLength: 8 }), fc.json({ maxDepth: 2 }));
  const place = fc.integer({ min: 0, max: goodText.length });
  fc.assert(
    fc.property(place, fc.integer({ min: 0, max: 40 }), part, (at, length, middle) => {
      const text = `${goodText.slice(0, at)}${middle}${goodText.slice(at + length)}`;
      const read = readTemplate(file, text);
      if ("template" in read) return;
      const most = text.split("\n").length;
      expect(read.problems.length).toBeGreaterThan(0);
      for (const { line = 1, reason } of read.problems) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(most);
        expect(reason).not.toMatch(/undefined|\[object|TypeError/);
      }
    }),
    { numRuns: 30 },
  );
});
