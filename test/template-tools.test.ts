import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readTemplateTool, runTemplateTool } from "../src/template-tools.ts";
import { goodText, withPart } from "./template-texts.ts";

const home = mkdtempSync(join(tmpdir(), "bulkhead-template-tools-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const folder = join(home, "allowlists");
mkdirSync(folder);
mkdirSync(join(home, "procedures"));
writeFileSync(join(folder, "egress-to-cidr.yaml"), goodText);

function run(...args: readonly string[]) {
  const tool = readTemplateTool(["templates", ...args]);
  if ("problem" in tool) throw new Error(tool.problem);
  return runTemplateTool(tool);
}

test("Lint says what is wrong by file, line and reason, and exits with 2; and 0 where nothing is", () => {
  expect(run("lint", folder)).toEqual({
    out: "",
    err: [`${folder}/egress-to-cidr.yaml:6: procedure: egress-to-cidr.md is not there.`],
    code: 2,
  });
  writeFileSync(join(home, "procedures", "egress-to-cidr.md"), "");
  expect(run("lint", folder)).toEqual({ out: "1 template is fine.\n", err: [], code: 0 });
  writeFileSync(join(folder, "b\u202ed.yaml"), withPart("cidr: $cidr", 'cidr: "0.0.0.0/0"'));
  const { err, code } = run("lint", folder);
  expect(code).toBe(2);
  expect(err[0]).toBe(
    `${folder}/bd.yaml:2: name: is egress-to-cidr, and its file's name is b\u202ed`.replace("\u202e", ""),
  );
  expect(err.at(-1)).toBe(`${folder}/bd.yaml:12: opens.0.to.cidr: 0.0.0.0/0 is every IPv4 address there is`);
  rmSync(join(folder, "b\u202ed.yaml"));
});

test("Without a folder, those that ship are meant", () => {
  expect(run("lint")).toEqual({ out: "8 templates are fine.\n", err: [], code: 0 });
});

test("List shows what each opens and within which bounds", () => {
  expect(run("list", folder).out.split("\n").slice(1)).toEqual([
    "  when: A dependency moved to addresses that no policy knows yet.",
    "  workload=WORKLOAD: whose pods may connect",
    "  cidr=CIDR, at widest IPv4 /24 and IPv6 /64: where to",
    "  port=PORT, one of 443, 8443 (443 if not given): the port there",
    "  for 30m, at most 4h at once and 12h in all",
    "  in namespaces * of clusters *",
    "  no approval",
    "  owner platform-network, procedure egress-to-cidr.md",
    "",
  ]);
  const all = run("list").out;
  expect(all).toMatch(/1 to approve, and a review afterwards/);
  expect(all).toMatch(/within 10.0.0.0\/8/);
  expect(JSON.parse(run("list", folder, "--output", "json").out)).toMatchObject({
    templates: [{ name: "egress-to-cidr" }],
    problems: [],
  });
});

test("What is asked wrongly is said", () => {
  const problemOf = (...args: readonly string[]) => {
    const tool = readTemplateTool(["templates", ...args]);
    return "problem" in tool ? tool.problem : undefined;
  };
  expect(problemOf("lnt")).toMatch(/takes lint or list.* Did you mean lint\?/);
  expect(problemOf()).toMatch(/takes lint or list/);
  expect(problemOf("lint", "a", "b")).toMatch(/"b" is more than it takes/);
  expect(problemOf("lint", "--strict")).toMatch(/there is no option --strict/);
  expect(problemOf("list", "--output", "xml")).toMatch(/--output takes text or json/);
});
