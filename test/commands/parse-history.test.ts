import { expect, test } from "vitest";
import { parse } from "../../src/commands/parse.ts";
import { toolHelp } from "../../src/commands/tool-help.ts";
import { readPolicyTool } from "../../src/policy-arguments.ts";

const anywhere = { cluster: undefined, namespace: undefined, policy: undefined };

test.each([
  ["history", { ...anywhere, sinceMs: undefined }],
  ["history since 30m", { ...anywhere, sinceMs: 1_800_000 }],
  ["history payments since 2h", { ...anywhere, namespace: "payments", sinceMs: 7_200_000 }],
  ["history since 2h payments", { ...anywhere, namespace: "payments", sinceMs: 7_200_000 }],
  ["history prod-eu:", { ...anywhere, cluster: "prod-eu", sinceMs: undefined }],
  ["history payments/allow-dns", { ...anywhere, namespace: "payments", policy: { of: undefined, name: "allow-dns" } }],
  [
    "history prod-eu:payments/CiliumNetworkPolicy/allow-dns",
    { cluster: "prod-eu", namespace: "payments", policy: { of: "ciliumnetworkpolicy", name: "allow-dns" } },
  ],
  ["history /wide", { ...anywhere, namespace: "", policy: { of: undefined, name: "wide" } }],
  ["history prod-eu:/GlobalNetworkPolicy/wide", { namespace: "", policy: { of: "globalnetworkpolicy", name: "wide" } }],
])("%s is understood", (typed, wanted) => {
  expect(parse(typed)).toMatchObject({ kind: "history", ...wanted });
});

test.each([
  "history a/b/c/d",
  "history since",
  "history since yesterday",
  "history payments shop",
  "history payments/$(x)",
  "history :/a",
  "history /",
  "history prod-eu://a",
  "diff",
  "diff q-1234567",
  "diff v-1234567 v-7654321",
  "diff v-12345678",
])("%s is answered with how it is typed", (typed) => {
  expect(parse(typed).kind).toBe("usage");
});

test("At a terminal diff is of a change where its id is named, and of folders where there are two", () => {
  expect(readPolicyTool(["diff", "v-1234567"])).toBeUndefined();
  expect(readPolicyTool(["diff", "v-1234567", "--output", "json"])).toBeUndefined();
  expect(readPolicyTool(["diff", "v-1234567", "deploy"])).toMatchObject({ kind: "diff" });
  expect(readPolicyTool(["diff", "main/deploy", "deploy"])).toMatchObject({ kind: "diff" });
  expect(readPolicyTool(["diff"])).toMatchObject({ kind: "problem" });
  expect(JSON.stringify(toolHelp(["help", "diff"]))).toContain("DIR_BEFORE");
});
