import { readdirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { readText } from "./manifest-files.ts";
import type { TemplateProblem } from "./policy/template-set.ts";

/** By file's name, in order: its text. */
export type TemplateTexts = {
  readonly texts: ReadonlyMap<string, string>;
  readonly problems: readonly TemplateProblem[];
};

/** A larger file is no template, and parsing it would take memory of the bot. */
const largest = 64 * 1024;
const most = 200;

/**
 * The .yaml and .yml files of a folder, not of those within it. What begins with a dot is left out: a mounted ConfigMap has its
 * own copies there, which the other names are links to. Undefined with the reason where the folder cannot be read.
 */
export function readTemplateFolder(folder: string): TemplateTexts | { readonly problem: TemplateProblem } {
  const problems: TemplateProblem[] = [];
  const texts = new Map<string, string>();
  try {
    const place = realpathSync(folder);
    const names = readdirSync(folder)
      .filter((name) => /^[^.].*\.ya?ml$/.test(name))
      .toSorted();
    if (names.length > most)
      problems.push({ file: folder, reason: `holds ${names.length} templates, and ${most} are read` });
    for (const file of names.slice(0, most)) {
      const read = readOne(place, file);
      if ("text" in read) texts.set(file, read.text);
      else problems.push({ file, reason: read.problem });
    }
    return { texts, problems };
  } catch (error) {
    return { problem: { file: folder, reason: `cannot be read: ${reason(error)}` } };
  }
}

/** The names of the files that are beside the folder, in `../procedures`; undefined where there is no such folder. */
export function proceduresBeside(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(join(folder, "..", "procedures"));
  } catch {
    return undefined;
  }
}

/** A link that leads out of the folder is not followed: its text would be told where it is no YAML. */
function readOne(place: string, file: string): { readonly text: string } | { readonly problem: string } {
  const path = join(place, file);
  try {
    if (!realpathSync(path).startsWith(`${place}${sep}`)) return { problem: "is a link that leads out of the folder" };
    const stat = statSync(path);
    if (!stat.isFile()) return { problem: "is not a regular file" };
    if (stat.size > largest) return { problem: `is ${stat.size} bytes, more than the ${largest} that are read` };
  } catch (error) {
    return { problem: `cannot be read: ${reason(error)}` };
  }
  const read = readText(path);
  return "text" in read ? read : { problem: read.problem.replace(`${path}: `, "") };
}

function reason(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
