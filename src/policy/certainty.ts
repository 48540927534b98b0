import { canonicalJson } from "./canonical.ts";
import type { Author } from "./revision.ts";

const ranks = { operation: 0, user: 1, claim: 2, manager: 3 } as const;

/**
 * Each once, the most certain first: what we did ourselves, then users as the API server knew them, then what only the object
 * says. An operation that is known needs no claim.
 */
export function mostCertainFirst(authors: readonly Author[]): readonly Author[] {
  const once = new Map(authors.map((author) => [canonicalJson(author), author]));
  const sorted = [...once.values()].toSorted((one, other) => ranks[rankOf(one)] - ranks[rankOf(other)]);
  const first = new Map(
    sorted.flatMap((one) => (one.kind === "operation" ? [[one.operation, one] as const] : [])).reverse(),
  );
  return sorted.filter((one) => one.kind !== "operation" || first.get(one.operation) === one);
}

function rankOf(author: Author): keyof typeof ranks {
  return author.kind === "operation" && author.claimed ? "claim" : author.kind;
}
