import { expect, test } from "vitest";
import { z } from "zod";
import { exactlyOne, fields } from "../../src/simulator/fields.ts";
import { problemsOf } from "../../src/simulator/problems.ts";
import { cidr, labelSelector, portName, portNumber, protocol } from "../../src/simulator/selector-schema.ts";

const peer = fields({ namespaces: labelSelector.exactOptional(), pods: labelSelector.exactOptional() });
const schema = fields({
  spec: fields({
    priority: z.int().min(0).max(1_000),
    action: z.enum(["Allow", "Deny", "Pass"]).exactOptional(),
    from: z
      .array(peer.superRefine(exactlyOne(["namespaces", "pods"])))
      .min(1)
      .max(2)
      .exactOptional(),
    port: z.union([portNumber, portName]).exactOptional(),
    protocol: protocol.exactOptional(),
    labels: labelSelector.exactOptional(),
    networks: z.array(cidr).exactOptional(),
  }),
});

function problems(spec: unknown): readonly string[] {
  const { error } = schema.safeParse({ spec });
  return error === undefined ? [] : problemsOf(error).map(({ field, message }) => `${field} ${message}`);
}

const said = (fieldsOf: object) => problems({ priority: 1, ...fieldsOf });

test.each<[string, object, string]>([
  ["is missing", { priority: undefined }, "spec.priority is missing; it must be a number"],
  ["is of the wrong type", { priority: "5" }, "spec.priority is text; it must be a number"],
  ["is no whole number", { priority: 1.5 }, "spec.priority is a number; it must be a whole number"],
  ["is too small", { priority: -1 }, "spec.priority must be at least 0"],
  ["is too big", { priority: 1_001 }, "spec.priority must be at most 1000"],
  ["is none of a few words", { action: "Accept" }, "spec.action must be Allow, Deny or Pass"],
  ["has no entries", { from: [] }, "spec.from must have at least 1 entry"],
  ["is no mapping", { from: [7] }, "spec.from[0] is a number; it must be a mapping"],
  ["is an empty list entry", { from: [null] }, "spec.from[0] is empty; it must be a mapping"],
  [
    "has none of its alternatives",
    { from: [{}] },
    "spec.from[0] needs exactly one of namespaces, pods, but none is there",
  ],
  [
    "has two of its alternatives",
    { from: [{ namespaces: {} }, { namespaces: {}, pods: {} }] },
    "spec.from[1] needs exactly one of namespaces, pods, but namespaces and pods are there",
  ],
  ["fits one type of two", { port: 70_000 }, "spec.port must be at most 65535"],
  [
    "fits the other type of two",
    { port: "HTTP" },
    "spec.port is no port's name (at most 15 lower-case letters, digits and dashes, one letter at least)",
  ],
  ["fits neither of two types", { port: true }, "spec.port is true or false; it must be a number or text"],
  ["is no protocol", { protocol: "ICMP" }, "spec.protocol must be TCP, UDP or SCTP"],
  ["is no CIDR", { networks: ["::/0", "10.0.0.0"] }, "spec.networks[1] is no CIDR such as 10.1.0.0/16"],
])("A field that %s is told", (_, spec, problem) => {
  expect(said(spec)).toEqual([problem]);
});

test.each<[string, object, string]>([
  [
    "In without values",
    { matchExpressions: [{ key: "app", operator: "In" }] },
    "spec.labels.matchExpressions[0].values must have a value, as the operator is In",
  ],
  [
    "NotIn with an empty list of values",
    { matchExpressions: [{ key: "app", operator: "NotIn", values: [] }] },
    "spec.labels.matchExpressions[0].values must have a value, as the operator is NotIn",
  ],
  [
    "Exists with a value",
    { matchExpressions: [{ key: "app", operator: "Exists", values: ["a"] }] },
    "spec.labels.matchExpressions[0].values must be absent with Exists",
  ],
  [
    "an unknown operator",
    { matchExpressions: [{ key: "app", operator: "Equals" }] },
    "spec.labels.matchExpressions[0].operator must be In, NotIn, Exists or DoesNotExist",
  ],
  [
    "a key that is none",
    { matchLabels: { "-app": "a" } },
    "spec.labels.matchLabels.-app is no label key such as app or app.kubernetes.io/name",
  ],
  [
    "a prefix that is none",
    { matchLabels: { "Example.com/app": "a" } },
    'spec.labels.matchLabels["Example.com/app"] is no label key such as app or app.kubernetes.io/name',
  ],
  [
    "a value that is none",
    { matchLabels: { "example.com/app": "a b" } },
    'spec.labels.matchLabels["example.com/app"] is no label value (at most 63 letters, digits, dashes, dots)',
  ],
  [
    "a value that is empty in YAML, which drops nothing from the selector",
    { matchLabels: { app: null } },
    "spec.labels.matchLabels.app is empty; it must be text",
  ],
  ["a number for a value", { matchLabels: { app: 1 } }, "spec.labels.matchLabels.app is a number; it must be text"],
])("A label selector with %s is refused", (_, labels, problem) => {
  expect(said({ labels })).toEqual([problem]);
});

test("Selectors that the API server takes are taken, Exists with an empty list of values too", () => {
  const matchExpressions = [
    { key: "a.b/c", operator: "In", values: ["x", ""] },
    { key: "A_b.c", operator: "Exists", values: [] },
    { key: "d", operator: "DoesNotExist", values: null },
  ];
  expect(said({ labels: { matchLabels: { "app.kubernetes.io/name": "x_1.Y-z" }, matchExpressions } })).toEqual([]);
});

test("An unknown field is told by its own path, also beside others and where it is null", () => {
  const known = "is no field here; there are namespaces, pods";
  expect(said({ from: [{ pods: {} }, { pods: {}, form: null, ipBlock: {} }] })).toEqual([
    `spec.from[1].form ${known}`,
    `spec.from[1].ipBlock ${known}`,
  ]);
});

test("What is none of the variants of a tagged union is told with their tags", () => {
  const tagged = z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") }), z.object({ kind: z.literal("b") })]);
  const { error } = tagged.safeParse({ kind: "c" });
  expect(error && problemsOf(error)).toEqual([{ field: "kind", message: "must be a or b" }]);
});

test("Null is absent, as the API server reads it", () => {
  expect(said({ from: null, labels: { matchLabels: null, matchExpressions: null } })).toEqual([]);
  expect(said({ from: [{ pods: {}, namespaces: null }] })).toEqual([]);
});
