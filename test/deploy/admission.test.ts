import { expect, it } from "vitest";
import { marks } from "../../src/policy/marks.ts";
import { find, type Manifest, read, readKustomization } from "./manifests.ts";
import { expected, expectedOfEngines, rights } from "./rights.ts";

const objects = readKustomization("deploy/components/admission");
const bot = "system:serviceaccount:bulkhead:bulkhead";

type Policy = {
  readonly failurePolicy: string;
  readonly matchConditions: readonly { readonly expression: string }[];
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly { readonly expression: string; readonly message: string }[];
  readonly matchConstraints: {
    readonly resourceRules: readonly { apiGroups: string[]; resources: string[]; operations: string[] }[];
  };
};

function policy(name: string): Policy {
  const found = find(objects, "ValidatingAdmissionPolicy", name);
  expect(found.apiVersion).toBe("admissionregistration.k8s.io/v1");
  return found.spec as unknown as Policy;
}

function expressions({ matchConditions, variables, validations }: Policy): string {
  return [...matchConditions, ...variables, ...validations].map(({ expression }) => expression).join("\n");
}

it("binds each policy once, and both deny", () => {
  const of = (kind: string): readonly Manifest[] => objects.filter((object) => object.kind === kind);
  const names = of("ValidatingAdmissionPolicy").map(({ metadata }) => metadata.name);
  expect(names.toSorted()).toEqual(["bulkhead-bot", "bulkhead-ours"]);
  expect(of("ValidatingAdmissionPolicyBinding").map(({ spec }) => spec)).toEqual(
    names.map((policyName) => ({ policyName, validationActions: ["Deny", "Audit"] })),
  );
});

it("goes by the labels and the account that the bot has", () => {
  for (const name of ["bulkhead-bot", "bulkhead-ours"]) {
    const spec = policy(name);
    const labels = new Set([...expressions(spec).matchAll(/bulkhead\.dev\/[\w-]+/g)].map(([label]) => label));
    expect(labels).toEqual(new Set([marks.operation, marks.quarantine]));
    expect(spec.matchConditions.map(({ expression }) => expression).join()).toContain(`'${bot}'`);
    expect(spec.failurePolicy).toBe("Fail");
    for (const { message } of spec.validations) expect(message).toMatch(/\.$/);
  }
});

/** The kinds of policies that the bot has rights to create, by group: of base and of components/engines. */
function written(): Map<string, string[]> {
  const roles = [
    expected["bulkhead-write"],
    expected["bulkhead-write-engines"],
    ...Object.values(expectedOfEngines),
  ].flat();
  const kinds = roles.flatMap(
    (right) => (/^create ([^/]+)\/([a-z]+policies)$/.exec(right)?.slice(1) as [string, string]) ?? [],
  );
  const pairs = Array.from({ length: kinds.length / 2 }, (_, i) => [kinds[2 * i]!, kinds[2 * i + 1]!] as const);
  return new Map(
    [...Map.groupBy(pairs, ([group]) => group)].map(([group, all]) => [group, all.map(([, kind]) => kind).toSorted()]),
  );
}

it("judges the writes that the bot has rights for, and leaves nodes free to delete pods", () => {
  const operations = (name: string) =>
    Object.fromEntries(
      policy(name).matchConstraints.resourceRules.map((rule) => [
        `${rule.apiGroups.join()}/${rule.resources.toSorted().join()}`,
        rule.operations,
      ]),
    );
  const policies = Object.fromEntries(
    [...written()].map(([group, kinds]) => [`${group}/${kinds.join()}`, ["CREATE", "UPDATE", "DELETE"]]),
  );
  expect(operations("bulkhead-bot")).toEqual({ ...policies, "/pods": ["UPDATE", "DELETE"] });
  expect(operations("bulkhead-ours")).toEqual({ ...policies, "/pods": ["CREATE", "UPDATE"] });
});

it("asks for the right that break-glass.yaml grants, and for no other", () => {
  expect(rights(find(objects, "ClusterRole", "bulkhead-break-glass").rules!)).toEqual([
    "change bulkhead.dev/operations",
  ]);
  expect(expressions(policy("bulkhead-ours"))).toContain(
    "authorizer.group('bulkhead.dev').resource('operations').namespace(request.namespace).check('change')",
  );
});

it("asks the authoriser only about what touches ours: a pod like any other waits for no webhook", () => {
  const { matchConditions, variables, validations } = policy("bulkhead-ours");
  expect(matchConditions.filter(({ expression }) => /authorizer|variables/.test(expression))).toEqual([]);
  const asking = variables.filter(({ expression }) => expression.includes("authorizer"));
  expect(asking.map(({ name }) => name)).toEqual(["may"]);
  expect(variables.filter(({ expression }) => expression.includes("variables.may"))).toEqual([]);
  expect(validations.map(({ expression }) => expression)).toEqual([
    "!variables.touchesOperation || variables.may",
    "!variables.touchesQuarantine || variables.may",
  ]);
  expect(expressions(policy("bulkhead-bot"))).not.toContain("authorizer");
});

it("says in its README that no cluster has seen it", () => {
  expect(read("deploy/components/admission/README.md")).toContain("Not tried on a cluster");
});
