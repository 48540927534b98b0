import { describe, expect, test } from "vitest";
import { type Checked, check } from "../../src/commands/check.ts";
import { brokenJunit, checkJson, checkJunit, checkText } from "../../src/commands/check-report.ts";
import { type Expectation, readExpectations } from "../../src/commands/expectations.ts";
import type { Simulator } from "../../src/simulator/compile.ts";
import { deployment, networkPolicy, simulatorOf } from "../simulator/from-manifests.ts";

/** The database takes 5432 from the shop's checkout only; nobody else is restricted. */
const simulator = simulatorOf(
  deployment("shop", "checkout") +
    deployment("shop", "cart") +
    deployment("db", "postgres", 5432) +
    networkPolicy(
      "db",
      "postgres",
      `{podSelector: {matchLabels: {app: postgres}}, ingress: [{ports: [{port: main}], from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: checkout}}}]}]}`,
    ),
);

function expectations(text: string): readonly Expectation[] {
  const read = readExpectations("tests.yaml", text);
  if ("problems" in read) throw new Error(read.problems.join("\n"));
  return read;
}

function checked(text: string): readonly Checked[] {
  return checkedBy(simulator, text);
}

function checkedBy(cluster: Simulator, text: string): readonly Checked[] {
  const result = check(cluster, expectations(text), "tests.yaml");
  if ("problems" in result) throw new Error(result.problems.join("\n"));
  return result;
}

/** One expectation's differences, as `from → to protocol port is`. */
function differences(line: string): readonly string[] {
  const [only] = checked(`{version: 1, expect: [${line}]}`);
  return (only?.differences ?? []).map((each) => `${each.from} → ${each.to} ${each.protocol} ${each.port} ${each.is}`);
}

describe("What is expected", () => {
  test("is held against the cluster", () => {
    expect(differences("{from: shop/checkout, to: db/postgres, port: 5432, is: allowed}")).toEqual([]);
    expect(differences("{from: shop/cart, to: db/postgres, port: 5432, is: denied}")).toEqual([]);
    expect(differences("{from: shop/cart, to: db/postgres, port: 5432, is: allowed}")).toEqual([
      "shop/cart[Deployment] → db/postgres[Deployment] TCP 5432 denied",
    ]);
    expect(differences("{from: shop/checkout, to: db/postgres, port: 5432, protocol: any, is: allowed}")).toHaveLength(
      2,
    );
  });

  test("may be of lists, wildcards and what is left out of them", () => {
    expect(differences('{from: ["*/*", "!shop/checkout", internet], to: db/postgres, port: any, is: denied}')).toEqual(
      [],
    );
    expect(differences('{from: "shop/*", to: db/postgres, port: [5432], is: denied}')).toEqual([
      "shop/checkout[Deployment] → db/postgres[Deployment] TCP 5432 allowed",
    ]);
    expect(differences('{from: "*/*", to: ["shop/*"], port: any, is: allowed}')).toEqual([]);
  });

  test("tells a thousand differences with their reasons, and counts the others", () => {
    const workloads = Array.from({ length: 34 }, (_, i) => deployment("shop", `w${i}`)).join("");
    const closed = simulatorOf(workloads + networkPolicy("shop", "p", "{podSelector: {}}"));
    const all = '{version: 1, expect: [{from: "*/*", to: "*/*", port: 80, is: allowed}]}';
    const [only] = checkedBy(closed, all);
    expect(only).toMatchObject({ asked: 34 * 33, more: 34 * 33 - 1_000 });
    expect(only?.differences).toHaveLength(1_000);
    expect(checkText(checkedBy(closed, all))).toContain(`And ${34 * 33 - 10} more.`);
    expect(checkJson(checkedBy(closed, all))).toContain(`"more":${34 * 33 - 1_000}}`);
  });

  test("is not asked between addresses outside, which no policy is about", () => {
    expect(differences('{from: ["*/*", internet], to: [192.0.2.7], port: 80, is: allowed}')).toEqual([]);
    const [only] = checked('{version: 1, expect: [{from: ["*/*", internet], to: 192.0.2.7, port: 80, is: allowed}]}');
    expect(only?.asked).toBe(3);
  });

  test("of any port is asked of each port that the policies tell apart", () => {
    expect(differences("{from: shop/checkout, to: db/postgres, port: any, protocol: TCP, is: allowed}")).toEqual([
      "shop/checkout[Deployment] → db/postgres[Deployment] TCP 1 denied",
      // The policy's port is named main, which other pods give 80: it could matter there.
      "shop/checkout[Deployment] → db/postgres[Deployment] TCP 80 denied",
      "shop/checkout[Deployment] → db/postgres[Deployment] TCP 81 denied",
      "shop/checkout[Deployment] → db/postgres[Deployment] TCP 5433 denied",
    ]);
  });

  test("of any port is not met where a range of ports ends", () => {
    const ranged = simulatorOf(
      deployment("shop", "a") +
        networkPolicy("shop", "p", "{podSelector: {}, ingress: [{ports: [{port: 1, endPort: 99}]}]}"),
    );
    const [only] = checkedBy(
      ranged,
      "{version: 1, expect: [{from: internet, to: shop/a, port: any, protocol: TCP, is: allowed}]}",
    );
    expect(only?.differences.map(({ port }) => port)).toEqual([100]);
  });

  test("is not met by what is undecided, and the reason is told", () => {
    const [only] = checked("{version: 1, expect: [{from: shop/cart, to: db/postgres, port: 5432, is: allowed}]}");
    expect(only?.differences[0]?.why).toEqual([
      "Into db/postgres[Deployment]: denied.",
      "  Denied by default, since NetworkPolicy db/postgres selects it and no rule allows this.",
    ]);
  });
});

describe("A file of expectations that is broken", () => {
  test.each([
    ["expect: []", ["1: version: must be 1", "1: expect: must have at least 1 entry"]],
    ["version: 2\nexpect: [{from: a/b, to: a/c, port: 1, is: denied}]", ["1: version: must be 1"]],
    [
      "version: 1\nexpect:\n  - from: a/b\n    to: a/c\n    port: 99999\n    is: open",
      ["5: expect[0].port: must be at most 65535", "6: expect[0].is: must be allowed or denied"],
    ],
    ["version: 1\nexpect:\n  - {from: a/b, port: 1, is: denied}", ["3: expect[0].to: is missing"]],
    [
      "version: 1\nexpect:\n  - {frm: a/b, from: a/b, to: a/c, port: 1, is: denied}",
      ["3: expect[0].frm: is no field here"],
    ],
    [
      "version: 1\nexpect:\n  - {from: '!a/b', to: a/c, port: 1, is: denied}",
      ["3: expect[0].from: must name something"],
    ],
    ["version: 1\nversion: 1", ["2: is not YAML"]],
    ["- 1", ["1: is a list"]],
    ["", ["1: version: must be 1"]],
  ])("%j is told by line and field", (text, problems) => {
    const read = readExpectations("tests.yaml", text);
    const told = "problems" in read ? read.problems : [];
    for (const [i, problem] of problems.entries()) expect(told[i]).toContain(`tests.yaml:${problem}`);
  });

  test.each([
    [
      "from: shop/chekout, to: db/postgres",
      "expect[0].from: There is no pod, workload or Service shop/chekout. Did you mean checkout?",
    ],
    ["from: shop/cart, to: db/deploy/postgrs", "expect[0].to: There is no deploy db/postgrs. Did you mean postgres?"],
    ['from: "shp/*", to: db/postgres', "expect[0].from: shp/* comes to no workload at all."],
    [
      'from: ["shop/*", "!shop/chekout"], to: db/postgres',
      "expect[0].from: There is no pod, workload or Service shop/chekout. Did you mean checkout?",
    ],
    [
      "from: internet, to: 192.0.2.7",
      "expect[0].to: Both ends are outside of the cluster: policies act on pods, so one end has to be a pod, a workload or a Service.",
    ],
    ['from: ["shop/*", "!*/*"], to: db/postgres', "expect[0].from: shop/*, !*/* comes to no workload at all."],
  ])("{%s} would test something else than is meant", (names, problem) => {
    const text = `{version: 1, expect: [{${names}, port: 5432, is: denied}]}`;
    expect(check(simulator, expectations(text), "tests.yaml")).toEqual({ problems: [`tests.yaml:1: ${problem}`] });
  });
});

describe("The report", () => {
  const text = `
version: 1
expect:
  - { name: 'checkout <pays> & "saves"', from: shop/checkout, to: db/postgres, port: 5432, is: allowed }
  - { name: "bell \\a", from: shop/cart, to: db/postgres, port: 5432, is: allowed }`;

  test("as text has a line for each, and the reasons of what is not as expected", () => {
    expect(checkText(checked(text))).toBe(`ok   checkout <pays> & "saves"
DIFF bell \u0007
       shop/cart[Deployment] → db/postgres[Deployment] on TCP 5432 is denied, not allowed.
         Into db/postgres[Deployment]: denied.
           Denied by default, since NetworkPolicy db/postgres selects it and no rule allows this.

1 of 2 expectations hold.
`);
  });

  test("as text has one line for a name of several", () => {
    const named = '{name: "one\\nok   other", from: shop/cart, to: db/postgres, port: 5432, is: denied}';
    expect(checkText(checked(`{version: 1, expect: [${named}]}`))).toMatch(/^ok {3}one ok other\n\n/);
  });

  test("as JSON says whether all hold", () => {
    const json: unknown = JSON.parse(checkJson(checked(text)));
    expect(json).toMatchObject({
      holds: false,
      expectations: [
        { holds: true, line: 4 },
        { holds: false, asked: 1 },
      ],
    });
  });

  test("as JUnit escapes what XML would read", () => {
    const xml = checkJunit(checked(text), "a<b.yaml");
    expect(xml).toContain('<testsuite name="a&lt;b.yaml" tests="2" failures="1" errors="0" skipped="0">');
    expect(xml).toContain('<testcase name="checkout &lt;pays&gt; &amp; &quot;saves&quot;"');
    expect(xml).toContain('name="bell �"');
    expect(xml).toContain('<failure message="shop/cart[Deployment] → db/postgres[Deployment] on TCP 5432 is denied');
    expect(brokenJunit(["no <file>"], "t.yaml")).toContain('<error message="no &lt;file&gt;">no &lt;file&gt;</error>');
  });
});
