import type { SandboxSlack } from "./slack/server.ts";
import type { Submission } from "./slack/submissions.ts";
import { renderView } from "./slack/view-text.ts";

export type FormOptions = {
  readonly slack: SandboxSlack;
  readonly width: number;
  readonly write: (text: string) => void;
};

/** Prints the modals that the person of the moment sees, when they come, change or go; the answer ends that. */
export function showForms({ slack, width, write }: FormOptions, who: () => string): () => void {
  return slack.watchViews(({ kind, view }) => {
    if (view.user !== who()) return;
    if (kind === "closed") return write(`\n┌ The form is closed: ${view.content.title.text}\n└\n`);
    const text = renderView(view, { width: width - 2, directory: slack });
    write(`\n┌ Form${kind === "updated" ? " (updated)" : ""}\n${text.replaceAll(/^/gm, "│ ")}\n└\n`);
  });
}

/**
 * Does what a line says to the form that the person has open: `fill FIELD TEXT`, `search FIELD TEXT`, `pick FIELD VALUE`,
 * `press FIELD`, `submit`, `cancel`. Gives what there is to say, undefined where the line is nothing of these.
 */
export async function actOnForm(slack: SandboxSlack, user: string, line: string): Promise<string | undefined> {
  const [word = "", field = "", ...rest] = line.split(/\s+/);
  const text = rest.join(" ");
  const act = Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (act === undefined) return undefined;
  try {
    return await act(slack, { user, field, text });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

type Input = { readonly user: string; readonly field: string; readonly text: string };

const actions: Readonly<Record<string, (slack: SandboxSlack, input: Input) => Promise<string>>> = {
  fill: async (slack, input) => {
    await slack.fill(input);
    return "";
  },
  search: async (slack, { user, field, text }) => {
    const { options, problem } = await slack.search({ user, field, query: text });
    return (
      problem ?? (options.map(({ value, text: label }) => `${value}  ${label.text}`).join("\n") || "Nothing found.")
    );
  },
  pick: async (slack, { user, field, text }) => {
    await slack.pick({ user, field, option: text });
    return "";
  },
  press: async (slack, input) => {
    await slack.pressInView(input);
    return "";
  },
  submit: async (slack, { user }) => said(await slack.submit({ user })),
  cancel: async (slack, { user }) => {
    await slack.closeView({ user });
    return "";
  },
};

function said({ errors, problem }: Submission): string {
  return [...Object.entries(errors).map(([field, error]) => `${field}: ${error}`), ...(problem ? [problem] : [])].join(
    "\n",
  );
}
