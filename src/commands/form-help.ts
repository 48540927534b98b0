import { type FormProblems, formText, type QuarantineForm, type Sender } from "./form.ts";
import type { Services } from "./services.ts";
import { type Asked, type Suggestion, suggest } from "./suggestions.ts";

/** What may be chosen; nothing where a cluster does not answer, which is metered. */
export function orNone(services: Services, asked: Asked): Promise<readonly Suggestion[]> {
  return orElse(services, "suggest", suggest(services, asked), []);
}

/** The form as typed text; where its cluster does not answer, one can still type. */
export function orProblem(services: Services, form: QuarantineForm, who: Sender): Promise<string | FormProblems> {
  return orElse(services, "form", formText(services, form, who), unreadable);
}

const unreadable = {
  pod: "The cluster could not be asked about this pod. Try again, or type /np quarantine namespace/pod.",
};

async function orElse<T>(services: Services, where: string, work: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    services.meter({ kind: "error", where, message: String(error) });
    return otherwise;
  }
}
