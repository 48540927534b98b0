import { authorWords } from "../policy/author-words.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import type { Stop, Undoing } from "../policy/undo.ts";
import { changeOf, type UndoneChange } from "../policy/undo-plan.ts";

/** `v-1234567: NetworkPolicy shop/web was changed at 2026-01-01T10:00:00Z by jane`. */
export function changeWords({ revision, policy, change, at, authors, gap }: UndoneChange): string {
  const when = new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
  const seen = gap
    ? ` (found at ${when} after a gap: there may have been steps between that nobody knows)`
    : ` at ${when}`;
  return `${revision}: ${policy} was ${change}${seen} by ${authorWords(authors)}`;
}

/** What stays though the change is undone, as sentences. */
export function keptWords({ kept, nothing }: Undoing): readonly string[] {
  return [
    ...kept.map(({ revision, what }) =>
      what === "metadata"
        ? `Labels or annotations of ${changeOf(revision).policy} were changed after ${revision.id}, and stay.`
        : `What came after ${revision.id} stays: both changed different fields of ${changeOf(revision).policy}.`,
    ),
    ...nothing.map((revision) => `${changeOf(revision).policy} does what it did before ${revision.id} already.`),
  ];
}

/** Every change was taken back already, by whomever. */
export function nothingToDo({ nothing, undone }: Undoing): Refusal {
  const [first] = [...nothing, ...undone];
  if (first === undefined) return refusal("there is nothing to undo", "Look at /np history.");
  const others = nothing.length + undone.length - 1;
  const more = others === 0 ? "" : `, and so is what ${others} more changed`;
  const by = first.undoneBy === undefined ? "" : ` (${first.undoneBy} undid it)`;
  return refusal(
    `${changeOf(first).policy} is as it was before ${first.id} already${by}${more}`,
    first.undoneBy === undefined
      ? "Nothing has to be written. Look at /np history."
      : `To have the change again: /np rollback ${first.undoneBy}`,
  );
}

/** Why it cannot be undone at all. */
export function refuseStop({ revision, why, later }: Stop): Refusal {
  const since = later.length === 0 ? "" : ` Since then: ${later.map((one) => changeWords(changeOf(one))).join("; ")}.`;
  return refusal(
    `${changeWords(changeOf(revision))}, and ${why}`,
    `Look at /np history for what can be undone.${since}`,
  );
}
