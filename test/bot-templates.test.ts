import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openTemplates } from "../src/bot-templates.ts";
import { goodText, withPart } from "./template-texts.ts";

test("What is wrong with a folder of templates is logged, counted, and given to commands by file and line", () => {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-bot-templates-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "egress-to-cidr.yaml"), goodText);
  writeFileSync(join(folder, "other.yaml"), withPart("name: egress-to-cidr", "name: others"));
  const told: unknown[] = [];
  const log = {
    info: (...line: readonly unknown[]) => void told.push(line),
    error: (...line: readonly unknown[]) => void told.push(line),
  };
  const templates = openTemplates(folder, log, { templateProblems: (count) => void told.push(count) });
  const reason = "name: is others, and its file's name is other";
  expect(templates.all().map(({ name }) => name)).toEqual(["egress-to-cidr"]);
  expect(templates.problems()).toEqual([{ file: "other.yaml:2", reason }]);
  expect(told).toEqual([
    1,
    [
      {
        folder,
        problems: [{ file: "other.yaml", line: 2, reason }],
        templates: [`egress-to-cidr ${templates.all()[0]?.version}`],
      },
      "templates are not as they have to be",
    ],
  ]);
});
