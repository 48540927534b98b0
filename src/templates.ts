import { fileURLToPath } from "node:url";
import type { Template } from "./policy/template.ts";
import type { TemplateProblem, TemplateSet } from "./policy/template-set.ts";
import { readTemplate } from "./template-file.ts";
import { readTemplateFolder } from "./template-folder.ts";

/** Those that ship with this checkout, or are baked into the image. */
export const shippedTemplates = fileURLToPath(new URL("../runbooks/allowlists", import.meta.url));

/** All templates of a folder, and everything that is wrong with its files. `procedures`: the files that there are, where known. */
export function loadTemplates(folder: string, procedures?: readonly string[]): TemplateSet {
  return setOf(read(folder, new Map(), procedures));
}

export type TemplateWatch = {
  /** As of the last look. */
  readonly current: () => TemplateSet;
  /** Looks now. */
  readonly look: () => void;
  readonly close: () => void;
};

export type WatchOptions = {
  readonly everyMs?: number;
  /** After a look that found something else, not after the first. */
  readonly onChange?: (set: TemplateSet) => void;
};

/**
 * The templates of a folder, read again every few seconds: a mounted ConfigMap is replaced by a link, of which not every file
 * system tells. A file that becomes bad leaves its last good version in use, and the problem says so; one that is deleted
 * takes its template with it. A folder that cannot be read any more leaves all in use.
 */
export function watchTemplates(folder: string, { everyMs = 5_000, onChange }: WatchOptions = {}): TemplateWatch {
  let known = read(folder, new Map());
  let set = setOf(known);
  const look = (): void => {
    const next = read(folder, known.files);
    const changed = next.problem?.reason !== known.problem?.reason || isOther(next.files, known.files);
    known = next;
    if (!changed) return;
    set = setOf(known);
    onChange?.(set);
  };
  const timer = setInterval(look, everyMs).unref();
  return { current: () => set, look, close: () => clearInterval(timer) };
}

/** One file: its text, or why it has none; what is wrong with it; and its last good version. */
type Known = {
  readonly text: string | undefined;
  readonly template: Template | undefined;
  readonly problems: readonly TemplateProblem[];
};

type Files = ReadonlyMap<string, Known>;

/** `problem` is the folder's own. */
type Read = { readonly files: Files; readonly problem: TemplateProblem | undefined };

function read(folder: string, before: Files, procedures?: readonly string[]): Read {
  const found = readTemplateFolder(folder);
  if ("problem" in found) return { files: before, problem: found.problem };
  const files = new Map<string, Known>();
  for (const [file, text] of found.texts) {
    const last = before.get(file);
    files.set(file, last?.text === text ? last : judged(file, text, last?.template, procedures));
  }
  for (const problem of found.problems.filter(({ file }) => file !== folder)) {
    files.set(problem.file, kept({ text: undefined, problems: [problem] }, before.get(problem.file)?.template));
  }
  const own = found.problems.find(({ file }) => file === folder);
  const isEmpty = files.size === 0 ? { file: folder, reason: "holds no template, no .yaml or .yml file" } : undefined;
  return { files, problem: own ?? isEmpty };
}

function judged(file: string, text: string, last: Template | undefined, procedures?: readonly string[]): Known {
  const found = readTemplate(file, text, procedures);
  return "template" in found
    ? { text, template: found.template, problems: [] }
    : kept({ text, problems: found.problems }, last);
}

function kept(known: Omit<Known, "template">, last: Template | undefined): Known {
  if (last === undefined) return { ...known, template: undefined };
  const stays = `; its last good version, ${last.version}, stays in use`;
  const problems = known.problems.map((problem) => ({ ...problem, reason: `${problem.reason}${stays}` }));
  return { ...known, problems, template: last };
}

/** A name is its file's name, so that only x.yaml and x.yml can have the same: the first by name has it. */
function setOf({ files, problem }: Read): TemplateSet {
  const byName = new Map<string, Template>();
  const problems = problem === undefined ? [] : [problem];
  for (const [file, known] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    problems.push(...known.problems);
    const { template } = known;
    if (template === undefined) continue;
    if (byName.has(template.name))
      problems.push({ file, reason: `is another template ${template.name}: it is not used` });
    else byName.set(template.name, template);
  }
  return { templates: [...byName.values()], problems };
}

function isOther(next: Files, before: Files): boolean {
  if (next.size !== before.size) return true;
  return [...next].some(([file, { text, problems }]) => {
    const last = before.get(file);
    return last?.text !== text || last?.problems[0]?.reason !== problems[0]?.reason;
  });
}
