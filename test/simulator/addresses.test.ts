import { expect, test } from "vitest";
import {
  addressesOf,
  allAddresses,
  covers,
  type Family,
  families,
  formatRange,
  hasAddress,
  intersectAddresses,
  noAddresses,
  parseAddress,
  parseCidr,
  subtractAddresses,
  uniteAddresses,
  whole,
} from "../../src/simulator/addresses.ts";

const rangesOf = (text: string, family: Family) => parseCidr(text)![family].map((range) => formatRange(family, range));

test("A CIDR is the range of its prefix, in either family, host bits ignored", () => {
  expect(rangesOf("10.1.2.3/8", "ipv4")).toEqual(["10.0.0.0-10.255.255.255"]);
  expect(rangesOf("0.0.0.0/0", "ipv4")).toEqual(["0.0.0.0-255.255.255.255"]);
  expect(rangesOf("2001:db8::1/32", "ipv6")).toEqual(["2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"]);
  expect(rangesOf("192.168.0.7/32", "ipv4")).toEqual(["192.168.0.7-192.168.0.7"]);
});

test.each([
  "10.0.0.0",
  "10.0.0.0/33",
  "10.0.0/8",
  "010.0.0.0/8",
  "10.0.0.0/08",
  "10.0.0.0/8/8",
  "::/129",
  "fe80::1%eth0/64",
  "x/8",
  "",
])("%j is no CIDR", (text) => expect(parseCidr(text)).toBeUndefined());

test("An except is cut out, and what was cut comes back by union", () => {
  const [ten, part] = [parseCidr("10.0.0.0/8")!, parseCidr("10.1.0.0/16")!];
  const rest = subtractAddresses(ten, part);
  expect(rest.ipv4.map((range) => formatRange("ipv4", range))).toEqual([
    "10.0.0.0-10.0.255.255",
    "10.2.0.0-10.255.255.255",
  ]);
  expect(uniteAddresses([rest, part])).toEqual(ten);
  expect(intersectAddresses(rest, part)).toEqual(noAddresses);
  expect([covers(ten, part), covers(part, ten)]).toEqual([true, false]);
});

test("Families are apart: all of IPv4 holds no IPv6 address", () => {
  const { family, value } = parseAddress("::ffff:10.0.0.1")!;
  expect(family).toBe("ipv6");
  expect(hasAddress(allAddresses, family, value)).toBe(true);
  expect(hasAddress(parseCidr("0.0.0.0/0")!, family, value)).toBe(false);
  expect(families.map((each) => addressesOf(each, [whole(each)]))).toEqual([
    { ipv4: allAddresses.ipv4, ipv6: [] },
    { ipv4: [], ipv6: allAddresses.ipv6 },
  ]);
});
