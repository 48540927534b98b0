import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import type { TemplateSet } from "../src/policy/template-set.ts";
import { readTemplate } from "../src/template-file.ts";
import { loadTemplates, watchTemplates } from "../src/templates.ts";
import { read } from "./deploy/manifests.ts";
import { goodText, withPart } from "./template-texts.ts";
import { waitFor } from "./wait.ts";

const home = mkdtempSync(join(tmpdir(), "bulkhead-templates-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

let made = 0;

/** A folder with these files, by name. */
function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = join(home, String((made += 1)));
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const named = (name: string, text = goodText) => withPart("name: egress-to-cidr", `name: ${name}`, text);
const good = { "egress-to-cidr.yaml": goodText };
const bad = withPart("max: 4h", "max: 4 hours");
const longer = withPart("max: 4h", "max: 5h");

function told({ templates, problems }: TemplateSet) {
  return {
    templates: templates.map(({ name }) => name),
    problems: problems.map(({ file, line, reason }) => `${file}:${line}: ${reason}`),
  };
}

function watched(folder: string, options: Parameters<typeof watchTemplates>[1] = { everyMs: 3_600_000 }) {
  const watch = watchTemplates(folder, options);
  onTestFinished(() => watch.close());
  return watch;
}

test("A bad file takes no other down, and every problem of every file is told", () => {
  const folder = folderOf({
    ...good,
    "bad.yaml": named("bad", bad),
    "worse.yml": "[",
    "README.md": "# no template",
    ".hidden.yaml": "[",
  });
  const { templates, problems } = told(loadTemplates(folder));
  expect(templates).toEqual(["egress-to-cidr"]);
  expect(problems).toEqual([
    'bad.yaml:13: ttl.max: "4 hours" is no time such as 30m or 1h30m',
    expect.stringMatching(/^worse.yml:\d+: is not YAML/),
  ]);
});

test("What is no text, too large, a folder, or a link out of the folder is told and not read", () => {
  const folder = folderOf({
    ...good,
    "binary.yaml": Buffer.from([0xff, 0xfe, 0x00]),
    "large.yaml": `# ${"x".repeat(65_536)}\n${named("large")}`,
  });
  mkdirSync(join(folder, "folder.yaml"));
  symlinkSync("/etc/passwd", join(folder, "passwd.yaml"));
  symlinkSync("nowhere", join(folder, "dangling.yaml"));
  symlinkSync("loop.yaml", join(folder, "loop.yaml"));
  expect(told(loadTemplates(folder))).toEqual({
    templates: ["egress-to-cidr"],
    problems: [
      "binary.yaml:undefined: is not text (UTF-8)",
      "dangling.yaml:undefined: cannot be read: ENOENT",
      "folder.yaml:undefined: is not a regular file",
      expect.stringMatching(/^large.yaml:undefined: is \d+ bytes, more than the 65536 that are read$/),
      "loop.yaml:undefined: cannot be read: ELOOP",
      "passwd.yaml:undefined: is a link that leads out of the folder",
    ],
  });
});

test("Two files of one template are one template and a problem", () => {
  const folder = folderOf({ ...good, "egress-to-cidr.yml": longer });
  const set = loadTemplates(folder);
  expect(set.templates.map(({ ttl }) => ttl.maxMs)).toEqual([4 * 3_600_000]);
  expect(told(set).problems).toEqual([
    "egress-to-cidr.yml:undefined: is another template egress-to-cidr: it is not used",
  ]);
});

test("More than two hundred files are a problem, and only so many are read", () => {
  const folder = folderOf(
    Object.fromEntries(Array.from({ length: 203 }, (_, index) => [`t${1_000 + index}.yaml`, ""])),
  );
  const { problems } = loadTemplates(folder);
  expect(problems).toHaveLength(201);
  expect(problems[0]?.reason).toBe("holds 203 templates, and 200 are read");
});

test("A folder that is not there, or holds no template, is a problem", () => {
  const nowhere = join(home, "nowhere");
  expect(told(loadTemplates(nowhere)).problems).toEqual([`${nowhere}:undefined: cannot be read: ENOENT`]);
  const empty = folderOf({ "README.md": "" });
  expect(told(loadTemplates(empty)).problems).toEqual([`${empty}:undefined: holds no template, no .yaml or .yml file`]);
});

test("A file that becomes bad leaves its last good version in use and says so, until it is good again", () => {
  const folder = folderOf({ ...good, "other.yaml": named("other") });
  const changes: TemplateSet[] = [];
  const watch = watched(folder, { everyMs: 3_600_000, onChange: (set) => changes.push(set) });
  const [first] = watch.current().templates;
  writeFileSync(join(folder, "egress-to-cidr.yaml"), bad);
  writeFileSync(join(folder, "other.yaml"), named("other", longer));
  watch.look();
  watch.look();
  expect(changes).toHaveLength(1);
  const { templates, problems } = watch.current();
  expect(templates.map(({ name, ttl }) => [name, ttl.maxMs / 3_600_000])).toEqual([
    ["egress-to-cidr", 4],
    ["other", 5],
  ]);
  expect(problems).toEqual([
    {
      file: "egress-to-cidr.yaml",
      line: 13,
      reason: `ttl.max: "4 hours" is no time such as 30m or 1h30m; its last good version, ${first?.version}, stays in use`,
    },
  ]);
  writeFileSync(join(folder, "egress-to-cidr.yaml"), longer);
  watch.look();
  expect(watch.current().problems).toEqual([]);
  expect(watch.current().templates[0]?.ttl.maxMs).toBe(5 * 3_600_000);
});

test("A file that was bad from the start has no last good version", () => {
  const watch = watched(folderOf({ "egress-to-cidr.yaml": bad }));
  expect(told(watch.current())).toEqual({
    templates: [],
    problems: ['egress-to-cidr.yaml:13: ttl.max: "4 hours" is no time such as 30m or 1h30m'],
  });
});

test("A file that becomes unreadable leaves its template in use, one that is deleted takes it along", () => {
  const folder = folderOf({ ...good, "other.yaml": named("other") });
  const watch = watched(folder);
  unlinkSync(join(folder, "egress-to-cidr.yaml"));
  mkdirSync(join(folder, "egress-to-cidr.yaml"));
  unlinkSync(join(folder, "other.yaml"));
  watch.look();
  expect(told(watch.current()).templates).toEqual(["egress-to-cidr"]);
  expect(told(watch.current()).problems.join()).toMatch(/is not a regular file; its last good version/);
});

test("A folder that goes away leaves all in use and says so, and is read when it is back", () => {
  const folder = folderOf(good);
  const watch = watched(folder);
  renameSync(folder, `${folder}-gone`);
  watch.look();
  expect(told(watch.current())).toEqual({
    templates: ["egress-to-cidr"],
    problems: [`${folder}:undefined: cannot be read: ENOENT`],
  });
  renameSync(`${folder}-gone`, folder);
  watch.look();
  expect(told(watch.current())).toEqual({ templates: ["egress-to-cidr"], problems: [] });
});

test("A mounted ConfigMap that is replaced by its link is read again without a word", async () => {
  const folder = folderOf({});
  for (const [version, text] of [["..1", goodText] as const, ["..2", longer] as const]) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, "egress-to-cidr.yaml"), text);
  }
  symlinkSync("..1", join(folder, "..data"));
  symlinkSync("..data/egress-to-cidr.yaml", join(folder, "egress-to-cidr.yaml"));
  const watch = watched(folder, { everyMs: 5 });
  expect(watch.current().templates.map(({ ttl }) => ttl.maxMs / 3_600_000)).toEqual([4]);
  symlinkSync("..2", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  await waitFor(() => watch.current().templates[0]?.ttl.maxMs === 5 * 3_600_000);
  expect(watch.current().problems).toEqual([]);
});

test("The template that the runbooks' README shows is one", () => {
  const [, text = ""] = /```yaml\n([\s\S]*?)```/.exec(read("runbooks/README.md")) ?? [];
  expect(readTemplate("egress-to-cidr.yaml", text)).not.toHaveProperty("problems");
});
