import type { Refusal } from "../policy/guard.ts";
import type { CommandName } from "./command.ts";
import { manuals } from "./manuals.ts";
import type { Outcome, Reply, Section } from "./reply.ts";

/** A note to the caller alone, with an outcome of its own. */
export function note(headline: string, sections: readonly Section[], outcome: Outcome = "ok"): Reply {
  const tone = outcome === "ok" ? "neutral" : outcome === "failed" ? "bad" : "warning";
  return { shape: "note", headline, tone, sections, buttons: [], footer: [], operation: undefined, outcome };
}

/** A refusal: what was not done, why, and what to do next. */
export function refused(what: string, { reason, next }: Refusal): Reply {
  return note(`Refused: ${what}`, [text(refusalText({ reason, next })), text("Nothing was written.")], "refused");
}

/** Why, and what to do next, as sentences. */
export function refusalText({ reason, next }: Pick<Refusal, "reason" | "next">): string {
  return `${capital(reason.replace(/\.$/, ""))}. ${next}`;
}

/** What was wrong with the text, and how the command is typed. */
export function usageAnswer(problem: string, topic: CommandName | undefined): Reply {
  const manual = topic === undefined ? undefined : manuals[topic];
  const help =
    manual === undefined
      ? [text("Type /np help for all commands.")]
      : [
          code("Usage", `/np ${manual.usage}`),
          code("For example", manual.examples.map((line) => `/np ${line}`).join("\n")),
        ];
  return note("That command was not understood", [text(problem), ...help, text("Nothing was done.")], "usage");
}

export function text(value: string): Section {
  return { kind: "text", text: value };
}

/** The same, without which Confirm is not to be offered. */
export function mustRead(section: Section): Section {
  return { ...section, mustRead: true };
}

export function list(title: string | undefined, items: readonly string[]): Section {
  return { kind: "list", title, items };
}

export function code(title: string | undefined, value: string): Section {
  return { kind: "code", title, text: value };
}

/** An id stays as it is typed. */
function capital(sentence: string): string {
  if (/^[a-z]-[0-9a-z]{7}\b/.test(sentence)) return sentence;
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
