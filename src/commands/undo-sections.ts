import { manifestName } from "../policy/manifest.ts";
import { repositoryPatch } from "../policy/owner-words.ts";
import type { UndoneChange, UndoPlan, UndoStop, UndoWrite } from "../policy/undo-plan.ts";
import { whole, yamlDiff } from "../policy/yaml-diff.ts";
import { code, list, mustRead, text } from "./answers.ts";
import type { Section } from "./reply.ts";
import { objectOf, verbOf } from "./undo-rehearsal.ts";
import { changeWords } from "./undo-words.ts";

/** What a rollback would write, what opens and closes by it, whose changes those are, and what came since. */
export function undoSections(plan: UndoPlan): readonly Section[] {
  const { changes, writes, stop, opens, closes, undecided, owners, warnings } = plan;
  const sections = [
    mustRead(list("Undoes", changes.map(changeWords))),
    mustRead(list("Writes", writes.map(writeWords))),
    ...(stop === undefined ? [] : [mustRead(list("Ends there", stopWords(stop)))]),
    mustRead(list("Opens", opens)),
    list("Closes", closes),
    mustRead(list("Cannot be decided", undecided)),
    mustRead(list("Will be written again by somebody else", owners)),
    list("Warnings", warnings),
    ...effectless(plan),
    ...writes.map(diffOf),
    ...patches(writes),
  ];
  return sections.filter((section) => section.kind !== "list" || section.items.length > 0);
}

function writeWords(write: UndoWrite): string {
  return `${verbOf(write)} ${manifestName(objectOf(write))}`;
}

/** Silence could be taken for an effect that nobody looked at. */
function effectless({ writes, opens, closes, undecided }: UndoPlan): readonly Section[] {
  return writes.length === 0 || opens.length + closes.length + undecided.length > 0
    ? []
    : [text("By all policies together, no connection between what is there now opens or closes by it.")];
}

function stopWords({ change, why, later, ways, left }: UndoStop): readonly string[] {
  const others = left <= 1 ? "" : ` ${left - 1} more of those that were asked for stay too.`;
  return [
    `${changeWords(change)}, and it stays: ${why}.${others}`,
    ...(later.length === 0 ? ["It is not known yet who changed the policy after that."] : later.map(laterWords)),
    ...ways.flatMap((way) => (way === "alone" ? [] : [wayWords[way]])),
  ];
}

function laterWords(change: UndoneChange): string {
  return `Since then ${changeWords(change)}.`;
}

const wayWords = {
  "later-too": "Undo those too (--later-too): the policy is then as it was before all of them.",
  merge: "Merge (--merge): the later changes stay, since both changed different fields.",
} as const;

const mostPatches = 3;

/** What is to be committed where the policies come from, so that they stay so; only named where it is what is written. */
function patches(writes: readonly UndoWrite[]): readonly Section[] {
  const owned = writes.flatMap((write) => {
    const patch = repositoryPatch(write);
    return patch === undefined
      ? []
      : [{ ...patch, isSame: changed(patch.text) === changed(yamlDiff(write.from, write.to).text) }];
  });
  const shown = owned.slice(0, mostPatches).map(({ title, text: patch, isSame }) => {
    return isSame ? text(`${title}, as above.`) : code(title, patch);
  });
  const left = owned.length - shown.length;
  return left === 0 ? shown : [...shown, text(`${left} more of these policies come from a repository, too.`)];
}

function changed(diff: string): string {
  return diff
    .split("\n")
    .filter((line) => /^[+-]/.test(line))
    .join("\n");
}

/** In full: nobody agrees to what was cut. Where Slack has no room for all of them, a terminal has. */
function diffOf(write: UndoWrite): Section {
  return mustRead(code(writeWords(write), yamlDiff(write.from, write.to, whole).text));
}
