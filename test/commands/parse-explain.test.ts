import { describe, expect, test } from "vitest";
import { parse } from "../../src/commands/parse.ts";

const checkout = { kind: "named", namespace: "payments", of: undefined, name: "checkout" };
const postgres = { kind: "named", namespace: "db", of: undefined, name: "postgres" };
const asked = { kind: "explain", cluster: undefined, from: checkout, to: postgres, protocol: "TCP", port: 5432 };

describe("A connection to explain", () => {
  test.each([
    "payments/checkout → db/postgres:5432",
    "payments/checkout->db/postgres:5432",
    "payments/checkout -> db/postgres:5432",
    "payments/checkout -&gt; db/postgres:5432",
    "payments/checkout --> db/postgres:5432/tcp",
    "payments/checkout —> db/postgres:5432",
    "payments/checkout => db/postgres:5432",
    "payments/checkout to db/postgres:5432",
    '"payments/checkout → db/postgres:5432"',
    "“payments/checkout → db/postgres:5432”",
    "--from payments/checkout --to db/postgres --port 5432",
    "--port 5432 --protocol tcp --to db/postgres --from payments/checkout",
  ])("is understood as %s", (text) => {
    expect(parse(`explain ${text}`)).toEqual(asked);
  });

  test.each([
    ["a protocol", "payments/checkout → db/postgres:53/udp", { ...asked, protocol: "UDP", port: 53 }],
    ["a cluster at its beginning", "prod-eu:payments/checkout → db/postgres:5432", { ...asked, cluster: "prod-eu" }],
    ["the same at both ends", "prod-eu:payments/checkout → prod-eu:db/postgres:5432", { ...asked, cluster: "prod-eu" }],
    [
      "kinds",
      "payments/Deploy/checkout → a:db/svc/postgres:5432",
      { ...asked, cluster: "a", from: { ...checkout, of: "deploy" }, to: { ...postgres, of: "svc" } },
    ],
    ["an address to", "payments/checkout → 203.0.113.7:5432", { ...asked, to: at("203.0.113.7") }],
    ["an address from", "203.0.113.7 → db/postgres:5432", { ...asked, from: at("203.0.113.7") }],
    ["an IPv6 address", "payments/checkout → [2001:db8::1]:5432", { ...asked, to: at("2001:db8::1") }],
    ["a bare one from", "2001:db8::1 → db/postgres:5432", { ...asked, from: at("2001:db8::1") }],
    ["one with a cluster", "payments/checkout → a:[::1]:5432", { ...asked, cluster: "a", to: at("::1") }],
    [
      "the name of a namespace that is an arrow's word",
      "to/to to db/postgres:5432",
      { ...asked, from: named("to", "to") },
    ],
    ["one as an option", "--from payments/checkout --to 2001:db8::1 --port 5432", { ...asked, to: at("2001:db8::1") }],
  ])("may have %s", (_, text, command) => {
    expect(parse(`explain ${text}`)).toEqual(command);
  });

  test.each([
    ["", /From where, to where/],
    ["payments/checkout", /From where, to where/],
    ["payments/checkout → ", /From where, to where/],
    ["a/b → c/d → e/f:1", /From where, to where/],
    ["payments/checkout → db/postgres", /names no port/],
    ["payments/checkout → 2001:db8::1:443", /\[brackets\]/],
    ["payments/checkout → db/postgres:0", /no port from 1 to 65535/],
    ["payments/checkout → db/postgres:65536", /no port from 1 to 65535/],
    ["payments/checkout → db/postgres:53/icmp", /none of TCP, UDP and SCTP/],
    ["payments → db/postgres:5432", /"payments" is neither/],
    ["payments/checkout → db/post gres:5432", /is neither/],
    ["10.0.0.1 → 10.0.0.2:80", /Both ends are addresses/],
    ["a:payments/checkout → b:db/postgres:5432", /in one cluster/],
    ["A_B:10.0.0.1 → db/postgres:5432", /is neither/],
    ["--from payments/checkout --to db/postgres", /needs --from, --to and --port/],
    ["--from payments/checkout --to db/postgres --prt 80", /Did you mean --port\?/],
    ["--from --to db/postgres --port 80", /--from needs a value/],
    ["--port 80 --port 81 --from a/b --to c/d", /--port is given twice/],
    ["--from payments/checkout → db/postgres:5432", /is no option of explain/],
    [`${"x".repeat(2_000)} → db/postgres:5432`, /longer than/],
  ])("is refused as %s", (text, problem) => {
    expect(parse(`explain ${text}`)).toMatchObject({
      kind: "usage",
      topic: "explain",
      problem: expect.stringMatching(problem),
    });
  });

  test("is refused at once, however long what was typed is", () => {
    const started = performance.now();
    for (const text of ["-".repeat(100_000), `a${" ".repeat(100_000)}b`, "=".repeat(100_000), "a:".repeat(50_000)])
      expect(parse(`explain "${text}"`).kind).toBe("usage");
    expect(performance.now() - started).toBeLessThan(500);
  });
});

function at(address: string): object {
  return { kind: "address", address };
}

function named(namespace: string, name: string): object {
  return { kind: "named", namespace, of: undefined, name };
}
