import { z } from "zod";
import type { Delivery } from "./dispatch.ts";
import { type Option, optionGroups, options } from "./elements.ts";
import { sentence } from "./sentences.ts";

/** What a search in an external_select showed. */
export type Found = {
  /** Undefined where nobody was asked. */
  readonly delivery: Delivery | undefined;
  /** Those of groups too, in order. */
  readonly options: readonly Option[];
  /** Why the person saw no options although there was an answer, or that there was none. */
  readonly problem: string | undefined;
};

const answer = z.union([z.strictObject({ options }), z.strictObject({ option_groups: optionGroups })]);

/** The options of a block_suggestion's acknowledgement: at most 100, within Slack's limits, or none at all. */
export function readOptions(delivery: Delivery): Found {
  const { acknowledgement } = delivery;
  const nothing = (problem: string): Found => ({ delivery, options: [], problem });
  if (acknowledgement.kind !== "acknowledged") return nothing(acknowledgement.kind);
  const parsed = answer.safeParse(acknowledgement.payload, { reportInput: true });
  if (!parsed.success) return nothing(parsed.error.issues.flatMap(innermost).join("; "));
  const { data } = parsed;
  const found = "options" in data ? data.options : data.option_groups.flatMap((group) => group.options);
  return { delivery, options: found, problem: undefined };
}

function innermost(issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code !== "invalid_union") return [sentence(issue, "")];
  return issue.errors.flatMap((issues) => issues.map((one) => sentence(one, "")));
}
