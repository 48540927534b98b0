import { principalName } from "./principal.ts";
import type { Author, Revision } from "./revision.ts";

/** Who made a change, for people; the most certain first, and what only the object claims says so. */
export function authorWords([first, ...others]: readonly Author[]): string {
  if (first === undefined) return "nobody known";
  const also = others.find((one) => isClaim(one) && !isClaim(first));
  return also === undefined ? nameOf(first) : `${nameOf(first)} with ${nameOf(also)}`;
}

function isClaim(author: Author): boolean {
  return author.kind === "manager" || (author.kind === "operation" && author.claimed === true);
}

function nameOf(author: Author): string {
  if (author.kind === "user") {
    const { user, impersonatedBy } = author;
    return impersonatedBy === undefined ? user : `${user} (impersonated by ${impersonatedBy})`;
  }
  if (author.kind === "operation") {
    const { operation, by, claimed } = author;
    if (claimed)
      return `somebody who claims to be ${by === undefined ? operation : `${principalName(by)} (${operation})`}`;
    return by === undefined ? `Bulkhead (${operation})` : `${principalName(by)} (${operation})`;
  }
  return `the program ${author.manager}`;
}

/** `v-1a2b3c4 (changed by kubectl at 2026-01-01T10:00:00Z)`, for a clause. */
export function revisionWords({
  id,
  change,
  authors,
  at,
  gap,
}: Pick<Revision, "id" | "change" | "authors" | "at" | "gap">): string {
  const when = new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
  const seen = gap ? `found ${change} at ${when}, after a gap` : `${change} at ${when}`;
  return `${id} (${seen}, by ${authorWords(authors)})`;
}
