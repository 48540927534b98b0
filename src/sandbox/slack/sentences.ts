import { randomBytes } from "node:crypto";
import type { z } from "zod";

/**
 * The server's words for what is wrong, as others have quoted them:
 * `must be less than 3001 characters [json-pointer:/blocks/0/text]`. `root` is the pointer of the judged value.
 */
export function sentence(issue: z.core.$ZodIssue, root: string): string {
  const path = missing(issue) ? issue.path.slice(0, -1) : issue.path;
  return `${problem(issue)} [json-pointer:${root}${path.map((step) => `/${String(step)}`).join("")}]`;
}

/** A sentence for each id that is there twice; undefined ids are none. */
export function repeated(
  field: string,
  ids: readonly (string | undefined)[],
  pointer: (at: number) => string,
): readonly string[] {
  return ids.flatMap((id, at) =>
    id !== undefined && ids.indexOf(id) !== at
      ? [`\`${field}\` "${id}" already exists [json-pointer:${pointer(at)}]`]
      : [],
  );
}

/** The id that the server gives to a block or element without one. */
export function randomId(): string {
  return randomBytes(4).toString("base64url").slice(0, 5);
}

function missing(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" && issue.input === undefined;
}

function problem(issue: z.core.$ZodIssue): string {
  if (issue.code === "too_big") {
    return issue.origin === "string"
      ? `must be less than ${Number(issue.maximum) + 1} characters`
      : `no more than ${issue.maximum} items allowed`;
  }
  if (issue.code === "too_small") {
    return `must be more than ${Number(issue.minimum) - 1} ${issue.origin === "string" ? "characters" : "items"}`;
  }
  if (issue.code === "unrecognized_keys") return `invalid additional property: ${issue.keys.join(", ")}`;
  if (issue.code === "invalid_union") return "unsupported type";
  if (issue.code !== "invalid_type") return issue.message;
  return missing(issue) ? `missing required field: ${String(issue.path.at(-1))}` : `must provide a ${issue.expected}`;
}
