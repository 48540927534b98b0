import { decideAccess } from "../policy/access.ts";
import { templateUsage } from "../policy/bind-template.ts";
import { formatDuration } from "../policy/duration.ts";
import { mayUseHere, type Template } from "../policy/template.ts";
import { list, note, text } from "./answers.ts";
import { counted } from "./impact-words.ts";
import type { Reply, Section } from "./reply.ts";
import type { Context } from "./services.ts";

/** The templates that the person may use somewhere, with how each is typed. */
export async function listTemplates({ services, request, outlet }: Context): Promise<Reply> {
  const usable = services.templates.all().filter((template) => mayUse({ services, request }, template));
  const problems = services.templates.problems().map(({ file, reason }) => `${file}: ${reason}`);
  const sections = [
    ...(usable.length === 0 ? [text("There is none that you may use. Look at /np whoami.")] : usable.map(sectionOf)),
    ...(problems.length === 0
      ? []
      : [list("Templates that could not be read; the last good ones of them hold", problems)]),
  ];
  const reply = note(`${counted(usable.length, "template")} that you may use`, sections);
  await outlet.show(reply, undefined);
  return reply;
}

/** Where both the template and the access section let the person; a pattern of namespaces is met by any right. */
function mayUse({ services, request }: Pick<Context, "services" | "request">, template: Template): boolean {
  const { access } = services.settings;
  const named = template.namespaces.map((one) => (one.endsWith("*") ? undefined : one));
  return [...services.clusters.keys()].some(
    (cluster) =>
      mayUseHere(template, { cluster, namespace: undefined }) &&
      named.some((namespace) => decideAccess(access, request.principal, "allow", { cluster, namespace }).allowed),
  );
}

function sectionOf(template: Template): Section {
  const { name, title, when, ttl, approvals, namespaces, owner } = template;
  const others =
    approvals.count === 0 ? "" : ` ${counted(approvals.count, "other person", "other people")} must approve.`;
  const where = namespaces.includes("*") ? "" : ` Only in ${namespaces.join(", ")}.`;
  return list(`${name}: ${title}`, [
    when,
    templateUsage(template),
    `${formatDuration(ttl.defaultMs)} where no time is given, at most ${formatDuration(ttl.maxMs)}, ${formatDuration(ttl.totalMs)} with extensions.${others}${where} Owner: ${owner}.`,
  ]);
}
