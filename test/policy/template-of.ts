import type { Template } from "../../src/policy/template.ts";
import { readTemplate } from "../../src/template-file.ts";
import { goodText } from "../template-texts.ts";

/** The template of the text, which has to be one. */
export function templateOf(text = goodText): Template {
  const read = readTemplate(`${/^name: (\S+)/m.exec(text)?.[1]}.yaml`, text);
  if ("problems" in read) throw new Error(read.problems.map(({ line, reason }) => `${line}: ${reason}`).join("\n"));
  return read.template;
}
