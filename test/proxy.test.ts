import { describe, expect, test } from "vitest";
import { proxyFor } from "../src/proxy.ts";

const env = { HTTPS_PROXY: "http://secure:3128", HTTP_PROXY: "http://plain:3128" };

describe("The proxy of an address", () => {
  test.for([
    ["https://slack.com/api/", "http://secure:3128"],
    ["wss://wss-primary.slack.com/link", "http://secure:3128"],
    ["http://slack.com/api/", "http://plain:3128"],
    ["https://127.0.0.1:6443", undefined],
    ["https://localhost:6443", undefined],
    ["https://[::1]:6443", undefined],
    ["nonsense", undefined],
  ] as const)("%s goes through %s", ([address, proxy]) => {
    expect(proxyFor(address, env)).toBe(proxy);
  });

  test("Lower-case names count, too, and an empty one is none", () => {
    expect(proxyFor("https://slack.com", { https_proxy: "http://p:1" })).toBe("http://p:1");
    expect(proxyFor("https://slack.com", { HTTPS_PROXY: "" })).toBeUndefined();
    expect(proxyFor("https://slack.com", { https_proxy: "http://p:1", no_proxy: "slack.com" })).toBeUndefined();
    expect(proxyFor("https://slack.com", {})).toBeUndefined();
  });

  test.for([
    ["*", "https://api.example.com", true],
    ["example.com", "https://example.com", true],
    ["example.com", "https://api.example.com", true],
    ["EXAMPLE.com", "https://api.example.com", true],
    ["example.com", "https://notexample.com", false],
    [".example.com", "https://api.example.com", true],
    [".example.com", "https://example.com", false],
    ["*.example.com", "https://api.example.com", true],
    [".svc, .cluster.local", "https://kubernetes.default.svc", true],
    ["a.test other.test", "https://other.test", true],
    ["10.0.0.0/8", "https://10.96.0.1", true],
    ["10.0.0.0/8", "https://11.0.0.1", false],
    ["10.0.0.0/8", "https://api.example.com", false],
    ["fd00::/8", "https://[fd00::1]:6443", true],
    ["10.96.0.1", "https://10.96.0.1:6443", true],
    ["[fd00::1]:6443", "https://[fd00::1]:6443", true],
    ["example.com:8443", "https://example.com:8443", true],
    ["example.com:8443", "https://example.com", false],
    ["example.com:443", "https://example.com", true],
    ["", "https://example.com", false],
  ] as const)("NO_PROXY=%s exempts %s: %s", ([NO_PROXY, address, exempt]) => {
    expect(proxyFor(address, { ...env, NO_PROXY }) === undefined).toBe(exempt);
  });
});
