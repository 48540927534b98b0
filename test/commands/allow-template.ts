import type { Template } from "../../src/policy/template.ts";
import { readTemplate } from "../../src/template-file.ts";

/** A template of that name for anywhere; `lines` are its parameters and openings, and `approvals` how many others must agree. */
export function allowTemplate(name: string, lines: string, approvals = 0): Template {
  const read = readTemplate(
    `${name}.yaml`,
    `version: 1
name: ${name}
title: Title of ${name}
when: When it is needed.
owner: platform
procedure: ${name}.md
ttl: { default: 30m, max: 2h, total: 4h }
where: { namespaces: ["*"], clusters: ["*"] }
approvals: { count: ${approvals} }
review: false
${lines}`,
  );
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return read.template;
}
