import { describe, expect, test } from "vitest";
import { difference } from "../../src/commands/diff.ts";
import { differenceJson, differenceText } from "../../src/commands/diff-report.ts";
import { deployment, networkPolicy, simulatorOf } from "../simulator/from-manifests.ts";

const two = deployment("shop", "a") + deployment("shop", "b");

function textOf(before: string, after: string): string {
  return differenceText(difference(simulatorOf(before), simulatorOf(after)));
}

/** Lets pod b in from a range on a port. */
function into(cidr: string, ports = "[{port: 80}]"): string {
  return networkPolicy(
    "shop",
    "b",
    `{podSelector: {matchLabels: {app: b}}, ingress: [{ports: ${ports}, from: [{ipBlock: {cidr: ${cidr}}}]}]}`,
  );
}

describe("A difference", () => {
  test("is nothing between equals, and between policies that say the same", () => {
    expect(textOf(two, two)).toBe("Nothing opens and nothing closes.\n");
    expect(textOf(two + into("0.0.0.0/0"), two + into("0.0.0.0/0", "[{port: 80}, {port: 80}]"))).toContain("Nothing");
  });

  test("between workloads is by port", () => {
    const from = (port: number) =>
      networkPolicy(
        "shop",
        "b",
        `{podSelector: {matchLabels: {app: b}}, ingress: [{ports: [{port: ${port}}, {port: 9}], from: [{podSelector: {}}]}]}`,
      );
    expect(textOf(two + from(80), two + from(81))).toBe(
      [
        "Opens:",
        "  shop/a[Deployment] → shop/b[Deployment]  TCP 81",
        "",
        "Closes:",
        "  shop/a[Deployment] → shop/b[Deployment]  TCP 80",
        "",
      ].join("\n"),
    );
  });

  // 10.0.0.0/8 before and 10.128.0.0/9 with 11.0.0.0/8 after: the lower half of 10 closes, 11 opens, the rest stays.
  test("refines the ranges of both sides, and joins what changes alike", () => {
    const after = `{podSelector: {matchLabels: {app: b}}, ingress: [{ports: [{port: 80}], from: [{ipBlock: {cidr: 10.128.0.0/9}}, {ipBlock: {cidr: 11.0.0.0/9}}, {ipBlock: {cidr: 11.128.0.0/9}}]}]}`;
    expect(textOf(two + into("10.0.0.0/8"), two + networkPolicy("shop", "b", after))).toBe(
      [
        "Opens:",
        "  11.0.0.0-11.255.255.255 → shop/b[Deployment]  TCP 80",
        "",
        "Closes:",
        "  10.0.0.0-10.127.255.255 → shop/b[Deployment]  TCP 80",
        "",
      ].join("\n"),
    );
  });

  test("names workloads that come and go, with what that opens and closes", () => {
    const closed = networkPolicy("shop", "none", "{podSelector: {}, policyTypes: [Ingress, Egress]}");
    expect(textOf(deployment("shop", "a") + closed, deployment("shop", "b") + closed)).toBe(
      ["New workloads:", "  shop/b[Deployment]", "", "Workloads that are gone:", "  shop/a[Deployment]", ""].join("\n"),
    );
    expect(textOf(deployment("shop", "a"), two)).toContain(
      "  shop/a[Deployment] → shop/b[Deployment] (new)  all ports\n",
    );
    expect(textOf(two, deployment("shop", "a"))).toContain(
      "  shop/b[Deployment] (gone) → shop/a[Deployment]  all ports\n",
    );
  });

  test("tells of what can no longer be decided, and of what is denied that was not sure", () => {
    const cilium = (rule: string) =>
      `---\n{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: a, namespace: shop}, spec: {endpointSelector: {}, egress: [${rule}]}}\n`;
    const one = deployment("shop", "a");
    const [byName, none] = [cilium("{toFQDNs: [{matchName: a.example}]}"), cilium("{}")];
    expect(textOf(one + none, one + byName)).toBe(
      "Cannot be decided any more:\n  shop/a[Deployment] → 0.0.0.0-255.255.255.255  all ports\n",
    );
    expect(textOf(one + byName, one + none)).toBe(
      "Closes:\n  shop/a[Deployment] → 0.0.0.0-255.255.255.255  all ports\n",
    );
  });

  test("as JSON has only the sets that have ports", () => {
    const found = difference(simulatorOf(two), simulatorOf(two + into("10.0.0.0/8")));
    expect(JSON.parse(differenceJson(found))).toMatchObject({
      changes: [
        {
          from: "0.0.0.0-9.255.255.255",
          to: "shop/b[Deployment]",
          closed: { TCP: [[1, 65_535]], UDP: [[1, 65_535]], SCTP: [[1, 65_535]] },
        },
        {
          from: "10.0.0.0-10.255.255.255",
          closed: {
            TCP: [
              [1, 79],
              [81, 65_535],
            ],
          },
        },
        { from: "11.0.0.0-255.255.255.255" },
        { from: "shop/a[Deployment]", to: "shop/b[Deployment]" },
      ],
      workloads: { added: [], removed: [] },
    });
    expect(Object.keys((JSON.parse(differenceJson(found)) as { changes: object[] }).changes[0]!)).not.toContain(
      "opened",
    );
  });
});
