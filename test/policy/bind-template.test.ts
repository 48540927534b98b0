import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BoundTemplate, bindTemplate } from "../../src/policy/bind-template.ts";
import { containsCidr, parseExactCidr } from "../../src/policy/cidr.ts";
import { goodText, withPart } from "../template-texts.ts";
import { templateOf } from "./template-of.ts";

const template = templateOf();
const given = { workload: "payments/checkout", cidr: "203.0.113.0/24" };

function refusalsOf(values: Readonly<Record<string, string>>, of = template): readonly string[] {
  const bound = bindTemplate(of, values);
  return "refusals" in bound ? bound.refusals.map(({ reason, next }) => `${reason}. ${next}`) : [];
}

function boundOf(values: Readonly<Record<string, string>>, of = template): BoundTemplate {
  const bound = bindTemplate(of, values);
  if ("refusals" in bound) throw new Error(bound.refusals.map(({ reason }) => reason).join("\n"));
  return bound;
}

test("A bound template has what was typed in the one way in which it is written, and the defaults", () => {
  const bound = boundOf({ workload: "prod:payments/deploy/checkout", cidr: "2001:DB8:0:0::/64" });
  expect(bound.parameters).toEqual({
    workload: "prod:payments/deployment/checkout",
    cidr: "2001:db8::/64",
    port: "443",
  });
  expect(bound.cluster).toBe("prod");
  expect(bound.openings).toEqual([
    {
      from: { kind: "workload", workload: { namespace: "payments", kind: "Deployment", name: "checkout" } },
      to: { kind: "block", cidr: "2001:db8::/64", except: [] },
      ports: [{ protocol: "TCP", port: 443 }],
    },
  ]);
});

/** What is wrong; the values; the reason. */
const refused: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ["nothing is given", {}, /workload is missing: whose pods may connect/],
  ["a value is empty", { ...given, workload: "" }, /workload= is no workload/],
  ["an unknown key", { ...given, prot: "443" }, /has no parameter prot. Did you mean port\?/],
  ["a key of Object", { ...given, toString: "1" }, /has no parameter toString/],
  ["a key __proto__", Object.fromEntries([...Object.entries(given), ["__proto__", "1"]]), /has no parameter __proto__/],
  ["a workload without a namespace", { ...given, workload: "checkout" }, /is no workload: namespace\/name or/],
  ["a workload of an unknown kind", { ...given, workload: "payments/cronjob/x" }, /is no workload/],
  ["a pod", { ...given, workload: "payments/pod/checkout-1" }, /is a pod, which no policy can select by its name/],
  ["a path out of the namespace", { ...given, workload: "../kube-system" }, /is no workload/],
  ["a star for a namespace", { ...given, workload: "*/checkout" }, /is no workload/],
  ["a shell's line", { ...given, workload: "payments/$(id)" }, /is no workload/],
  ["a cluster that is none", { ...given, workload: "A B:payments/checkout" }, /is no workload/],
  ["everything", { ...given, cidr: "0.0.0.0/0" }, /is every IPv4 address there is/],
  ["everything of IPv6", { ...given, cidr: "::/0" }, /is every IPv6 address there is/],
  ["everything with host bits", { ...given, cidr: "1.2.3.4/0" }, /has host bits set: the block is 0.0.0.0\/0/],
  ["half of everything", { ...given, cidr: "0.0.0.0/1" }, /is wider than \/24/],
  ["one bit too wide", { ...given, cidr: "203.0.112.0/23" }, /is wider than \/24, the widest IPv4 block/],
  ["one bit too wide, IPv6", { ...given, cidr: "2001:db8::/63" }, /is wider than \/64, the widest IPv6 block/],
  [
    "host bits",
    { ...given, cidr: "203.0.113.7/24" },
    /the block is 203.0.113.0\/24, the address alone 203.0.113.7\/32/,
  ],
  ["host bits, IPv6", { ...given, cidr: "2001:db8::1/64" }, /the block is 2001:db8::\/64/],
  ["an address alone", { ...given, cidr: "203.0.113.7" }, /is one address: write 203.0.113.7\/32/],
  ["a name", { ...given, cidr: "example.com" }, /is no CIDR/],
  ["octal numbers", { ...given, cidr: "010.0.0.0/24" }, /is no CIDR/],
  ["a short form", { ...given, cidr: "10/8" }, /is no CIDR/],
  ["IPv4 within IPv6", { ...given, cidr: "::ffff:203.0.113.0/120" }, /is no CIDR/],
  ["IPv4 within IPv6, in hex", { ...given, cidr: "::ffff:cb00:7100/120" }, /is no CIDR/],
  ["a zone", { ...given, cidr: "2001:db8::%eth0/64" }, /is no CIDR/],
  ["a prefix that is negative", { ...given, cidr: "203.0.113.0/-1" }, /has no prefix length from 0 to 32/],
  ["a prefix beyond the family", { ...given, cidr: "203.0.113.0/33" }, /has no prefix length from 0 to 32/],
  ["a prefix with a plus", { ...given, cidr: "203.0.113.0/+24" }, /has no prefix length/],
  ["two blocks", { ...given, cidr: "203.0.113.0/24,198.51.100.0/24" }, /is no CIDR|has no prefix/],
  [
    "where clouds hand out credentials",
    { ...given, cidr: "169.254.169.254/32" },
    /169.254.0.0\/16 \(link-local, where clouds/,
  ],
  ["the same by IPv6", { ...given, cidr: "fd00:ec2::254/128" }, /where clouds hand out credentials/],
  ["the same by NAT64", { ...given, cidr: "64:ff9b::a9fe:a9fe/128" }, /where clouds hand out credentials/],
  ["loopback", { ...given, cidr: "127.0.0.0/24" }, /127.0.0.0\/8 \(loopback\)/],
  ["multicast", { ...given, cidr: "239.0.0.0/24" }, /multicast/],
  ["a port of another list", { ...given, port: "80" }, /is not one of 443, 8443/],
  ["a port of 0", { ...given, port: "0" }, /is no port, a number from 1 to 65535/],
  ["a port too high", { ...given, port: "65536" }, /is no port/],
  ["a port with a fraction", { ...given, port: "443.0" }, /is no port/],
  ["a port in hex", { ...given, port: "0x1bb" }, /is no port/],
  ["a port by name", { ...given, port: "https" }, /is no port/],
  ["a range of ports", { ...given, port: "443-8443" }, /is no port/],
];

describe("Values are refused", () => {
  test.each(refused)("%s", (_, values, reason) => {
    expect(refusalsOf(values).join("\n")).toMatch(reason);
  });
});

test("All that is wrong with the values is told at once", () => {
  expect(refusalsOf({ workload: "x", cidr: "10.0.0.0/8", port: "1", extra: "" })).toHaveLength(4);
});

test("A long value is not repeated in full", () => {
  expect(refusalsOf({ ...given, cidr: "9".repeat(5_000) }).join("").length).toBeLessThan(300);
});

test("Bounds of a port are inclusive", () => {
  const ranged = templateOf(withPart("default: 443, oneOf: [443, 8443]", "min: 400, max: 500"));
  const tries = ["399", "400", "500", "501"].map((port) => refusalsOf({ ...given, port }, ranged).length);
  expect(tries).toEqual([1, 0, 0, 1]);
});

test("A block has to lie within one of those named, which may be what is refused elsewhere", () => {
  const text = withPart("about: where to", "about: where to, within: [169.254.170.0/23, 10.0.0.0/8]");
  const tries = ["169.254.170.2/32", "10.9.8.0/24", "11.0.0.0/24", "169.254.169.254/32"];
  expect(tries.map((cidr) => refusalsOf({ ...given, cidr }, templateOf(text)).length)).toEqual([0, 0, 1, 1]);
  const around = templateOf(withPart("about: where to", 'about: x, within: ["160.0.0.0/4", "fc00::/7"]'));
  for (const cidr of ["169.254.169.254/32", "fd00:ec2::254/128"]) {
    expect(refusalsOf({ ...given, cidr }, around).join()).toMatch(/where clouds hand out credentials/);
  }
});

test("A family without a widest block is refused", () => {
  const ipv4 = templateOf(withPart(", ipv6: 64", ""));
  expect(refusalsOf({ ...given, cidr: "2001:db8::/64" }, ipv4).join()).toMatch(
    /is IPv6, which this parameter does not take/,
  );
});

test("Exceptions of a block are kept where they are a part of it, and refused where they are all of it", () => {
  const text = withPart("{ cidr: $cidr }", "{ cidr: $cidr, except: [203.0.113.128/25, 198.51.100.0/24] }");
  const [opening] = boundOf(given, templateOf(text)).openings;
  expect(opening?.to).toEqual({ kind: "block", cidr: "203.0.113.0/24", except: ["203.0.113.128/25"] });
  const refusals = refusalsOf({ ...given, cidr: "198.51.100.0/25" }, templateOf(text));
  expect(refusals.join()).toMatch(/198.51.100.0\/25 lies in 198.51.100.0\/24, which the template leaves out/);
});

test("Both ends are in one cluster", () => {
  const text = withPart("cidr: { type: cidr, widest: { ipv4: 24, ipv6: 64 }", "to: { type: workload").replace(
    "{ cidr: $cidr }",
    "{ workload: $to }",
  );
  const both = templateOf(text);
  expect(refusalsOf({ workload: "a:x/y", to: "b:x/z" }, both).join()).toMatch(/different clusters, a and b/);
  expect(boundOf({ workload: "x/y", to: "b:x/z" }, both).cluster).toBe("b");
});

test("A choice can stand for a namespace, labels and a protocol", () => {
  const text = goodText
    .replace("cidr: { type: cidr, widest: { ipv4: 24, ipv6: 64 }", "cidr: { type: choice, oneOf: [blue, green]")
    .replace("{ cidr: $cidr }", "{ namespace: $cidr, pods: { color: $cidr } }");
  const [opening] = boundOf({ ...given, cidr: "green" }, templateOf(text)).openings;
  expect(opening?.to).toEqual({ kind: "namespace", namespace: "green", pods: { color: "green" } });
  expect(refusalsOf({ ...given, cidr: "gren" }, templateOf(text)).join()).toMatch(/Did you mean green\?/);
});

test("Whatever is typed for a block, what is opened is within the bounds of the template", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const ipv4 = fc.tuple(octet, octet, octet, octet, fc.integer({ min: 0, max: 33 }));
  const word = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
  const ipv6 = fc.tuple(fc.array(word, { minLength: 0, maxLength: 8 }), fc.integer({ min: 0, max: 129 }));
  const texts = fc.oneof(
    ipv4.map(([a, b, c, d, length]) => `${a}.${b}.${c}.${length > 24 ? d : 0}/${length}`),
    ipv4.map(([a, , , , length]) => `${a}.0.0.0/${length}`),
    ipv6.map(([words, length]) => `${words.join(":")}${words.length < 8 ? "::" : ""}/${length}`),
    fc.string(),
  );
  const within = ["10.0.0.0/8", "64.0.0.0/2", "2000::/3", "::/1"];
  const bounded = templateOf(withPart("about: where to", `about: where to, within: ${JSON.stringify(within)}`));
  let taken = 0;
  fc.assert(
    fc.property(texts, (cidr) => {
      const bound = bindTemplate(bounded, { ...given, cidr });
      if ("refusals" in bound) return;
      taken += 1;
      const [{ to } = { to: undefined }] = bound.openings;
      const block = parseExactCidr(to?.kind === "block" ? to.cidr : "");
      if ("problem" in block) throw new Error(block.problem);
      expect(block.length).toBeGreaterThanOrEqual(block.family === "ipv4" ? 24 : 64);
      expect(within.some((text) => isIn(text, block))).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect(taken).toBeGreaterThan(15);
});

function isIn(text: string, block: Exclude<ReturnType<typeof parseExactCidr>, { problem: string }>): boolean {
  const outer = parseExactCidr(text);
  return !("problem" in outer) && containsCidr(outer, block);
}
