import type { Logger } from "pino";
import type { Templates } from "./commands/services.ts";
import type { Metrics } from "./metrics.ts";
import type { TemplateProblem, TemplateSet } from "./policy/template-set.ts";
import { watchTemplates } from "./templates.ts";

/** The templates of a folder for commands, read again as the folder changes; what is wrong with it is logged and counted. */
export function openTemplates(
  folder: string,
  log: Pick<Logger, "info" | "error">,
  metrics: Pick<Metrics, "templateProblems">,
): Templates {
  const tell = ({ templates, problems }: TemplateSet): void => {
    metrics.templateProblems(problems.length);
    const names = templates.map(({ name, version }) => `${name} ${version}`);
    if (problems.length > 0) log.error({ folder, problems, templates: names }, "templates are not as they have to be");
    else log.info({ folder, templates: names }, "templates are read");
  };
  const watch = watchTemplates(folder, { onChange: tell });
  tell(watch.current());
  return templatesOf(watch.current);
}

/** For commands: a problem's line goes with its file. */
export function templatesOf(current: () => TemplateSet): Templates {
  return { all: () => current().templates, problems: () => current().problems.map(placed) };
}

function placed({ file, line, reason }: TemplateProblem): { readonly file: string; readonly reason: string } {
  return { file: line === undefined ? file : `${file}:${line}`, reason };
}
