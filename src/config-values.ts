import { z } from "zod";
import { parseDuration } from "./policy/duration.ts";
import { isClusterName } from "./policy/target.ts";

/** Milliseconds, of a time as people write it (2s, 1h30m); 0s is one, too. */
export const duration = z.string().transform((text, context) => {
  const ms = text === "0s" ? 0 : parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: "custom", message: `"${text}" is no time such as 2s or 1h30m` });
  return z.NEVER;
});

/** The same without 0s. */
export const positiveDuration = duration.refine((ms) => ms > 0, "must be more than nothing");

/** What clusters are called in the configuration. */
export const clusterName = z
  .string()
  .refine(isClusterName, "is no cluster name (at most 63 lower-case letters, digits, dashes, dots)");
