import { allowFormFor } from "./allow-form.ts";
import { allowText } from "./allow-form-text.ts";
import type { Asked, FilledForm, Form, FormProblems, Sender, Suggestion } from "./form.ts";
import { asksForForm, quarantineForm, quarantineText, readQuarantine } from "./quarantine-form.ts";
import type { Request } from "./request.ts";
import type { Services } from "./services.ts";
import { suggest } from "./suggestions.ts";

/** The form that a command opens in Slack instead of an answer; undefined where it opens none. */
export async function formFor(services: Services, request: Request, who: Sender): Promise<Form | undefined> {
  if (request.source !== "slack") return undefined;
  if (asksForForm(request.text)) return quarantineForm(services.clusters.size > 1);
  return orElse(services, "form", allowFormFor(services, request.text, who), undefined);
}

/** What may be chosen; nothing where a cluster does not answer, which is metered. */
export function orNone(services: Services, asked: Asked): Promise<readonly Suggestion[]> {
  return orElse(services, "suggest", suggest(services, asked), []);
}

/** The form as typed text; where its cluster does not answer, one can still type. */
export function orProblem(services: Services, form: FilledForm, who: Sender): Promise<string | FormProblems> {
  if (form.kind === "allow") return orElse(services, "form", allowText(services, form, who), unread.allow);
  const filled = readQuarantine(form.fields);
  return orElse(services, "form", quarantineText(services, filled, who), unread.quarantine);
}

const unread = {
  quarantine: {
    pod: "The cluster could not be asked about this pod. Try again, or type /np quarantine namespace/pod.",
  },
  allow: { reason: "The cluster could not be asked about these names. Try again, or type the whole command." },
};

async function orElse<T>(services: Services, where: string, work: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    services.meter({ kind: "error", where, message: String(error) });
    return otherwise;
  }
}
