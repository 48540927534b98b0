import type { Template } from "./template.ts";

/** What is wrong with a template: the file as it was named, the line (from 1; undefined where it is the whole file), and why. */
export type TemplateProblem = { readonly file: string; readonly line?: number; readonly reason: string };

/** The templates that can be used now, and what is wrong with the others. */
export type TemplateSet = {
  /** By name, in the order of their names. */
  readonly templates: readonly Template[];
  readonly problems: readonly TemplateProblem[];
};

/** `egress-to-cidr.yaml:9: parameters.cidr: …`. */
export function problemLine({ file, line, reason }: TemplateProblem): string {
  return line === undefined ? `${file}: ${reason}` : `${file}:${line}: ${reason}`;
}
