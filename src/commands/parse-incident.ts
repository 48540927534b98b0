import { incidentForm, isIncidentId } from "../policy/incident.ts";
import type { Command, CommandName } from "./command.ts";
import type { Usage } from "./parse-answers.ts";

/** `incident`, `incident <id>` or `incident off`. */
export function parseIncident([word, ...rest]: readonly string[]): Command | Usage {
  if (rest.length > 0) return usage(`"${rest.join(" ").slice(0, 80)}" is more than incident takes.`, "incident");
  if (word === undefined) return { kind: "incident", change: { to: "nothing" } };
  if (word.toLowerCase() === "off") return { kind: "incident", change: { to: "off" } };
  if (!isIncidentId(word)) return usage(notAnId(word), "incident");
  return { kind: "incident", change: { to: "bound", incident: word } };
}

/** Takes `--incident ID` out wherever it stands. */
export function takeIncident(
  words: readonly string[],
  topic: CommandName,
): Usage | { readonly kind: "taken"; readonly words: readonly string[]; readonly incident: string | undefined } {
  const at = words.indexOf("--incident");
  if (at < 0) return { kind: "taken", words, incident: undefined };
  const incident = words[at + 1] ?? "";
  if (!isIncidentId(incident)) return usage(notAnId(incident), topic);
  const rest = words.toSpliced(at, 2);
  if (rest.includes("--incident")) return usage("--incident is given twice.", topic);
  return { kind: "taken", words: rest, incident };
}

/** What is wrong with the word. */
export function notAnId(word: string): string {
  return word === ""
    ? `Which incident? ${incidentForm}`
    : `"${word.slice(0, 80)}" is no incident's id. ${incidentForm}`;
}

function usage(problem: string, topic: CommandName): Usage {
  return { kind: "usage", problem, topic };
}
