import { parseDuration } from "../policy/duration.ts";
import type { Choices } from "../policy/plan.ts";
import type { Command, CommandName } from "./command.ts";
import { notAPlace, reasonLimit, tooLong, type Usage, usage } from "./parse-answers.ts";
import { takeChoices } from "./parse-choices.ts";
import { takeFlags } from "./parse-flags.ts";
import { takeIncident } from "./parse-incident.ts";
import { parseNamespace, shownWords, takeTarget } from "./parse-target.ts";

/** `quarantine` of a pod or of a workload. */
export function parseQuarantine(all: readonly string[]): Command | Usage {
  const named = takeIncident(all, "quarantine");
  if (named.kind === "usage") return named;
  const chosen = takeChoices(named.words);
  if (chosen.kind === "usage") return chosen;
  const flags = takeFlags(chosen.words, containingFlags);
  if (flags.kind === "usage") return { ...flags, topic: "quarantine" };
  const [where] = flags.words;
  if (where === undefined) return usage("Which pod?", "quarantine");
  const { target, rest } = takeTarget(flags.words);
  if (target === undefined) return usage(`"${shownWords(flags.words)}" ${notATarget}`, "quarantine");
  if (target.workload !== undefined && isOfPod(chosen.choices)) return usage(notOfPod, "quarantine");
  const ending = takeEnding(rest, "quarantine");
  if (ending.kind === "usage") return ending;
  const { reviewMs, reason } = ending;
  const { incident } = named;
  const { choices } = chosen;
  return { kind: "quarantine", ...target, choices, reviewMs, dryRun: flags.set.has("--dry-run"), incident, reason };
}

const containingFlags = [
  "--dry-run",
  "--incident",
  "--engine",
  "--detach",
  "--no-detach",
  "--change-policies",
  "--confirm",
  "--override",
];

const notOfPod =
  "--detach, --no-detach and --change-policies are for one pod: no pod is relabelled here, and no policy of others changed.";

function isOfPod({ detach, changePolicies }: Choices): boolean {
  return detach !== undefined || changePolicies === true;
}

const notATarget =
  "is not of the form namespace/pod or cluster:namespace/pod, nor a workload such as namespace/deploy/name.";

/** `lockdown` of a namespace. */
export function parseLockdown(all: readonly string[]): Command | Usage {
  const named = takeIncident(all, "lockdown");
  if (named.kind === "usage") return named;
  const chosen = takeChoices(named.words);
  if (chosen.kind === "usage") return { ...chosen, topic: "lockdown" };
  const flags = takeFlags(chosen.words, containingFlags);
  if (flags.kind === "usage") return { ...flags, topic: "lockdown" };
  const [where, ...rest] = flags.words;
  if (where === undefined) return usage("Which namespace?", "lockdown");
  const target = parseNamespace(where);
  if (target === undefined) return usage(notAPlace(where), "lockdown");
  if (isOfPod(chosen.choices)) return usage(notOfPod, "lockdown");
  const ending = takeEnding(rest, "lockdown");
  if (ending.kind === "usage") return ending;
  const { reviewMs, reason } = ending;
  const { incident } = named;
  const { choices } = chosen;
  return { kind: "lockdown", ...target, choices, reviewMs, dryRun: flags.set.has("--dry-run"), incident, reason };
}

type Ending = { readonly kind: "ending"; readonly reviewMs: number | undefined; readonly reason: string };

/** `review TIME` and the reason. */
function takeEnding(words: readonly string[], topic: CommandName): Usage | Ending {
  const review = takeReview(words);
  if (review.kind === "usage") return { ...review, topic };
  const reason = review.words.join(" ");
  return reason.length > reasonLimit ? tooLong(topic) : { kind: "ending", reviewMs: review.reviewMs, reason };
}

function takeReview(
  words: readonly string[],
): Usage | { readonly kind: "review"; readonly words: readonly string[]; readonly reviewMs: number | undefined } {
  const [first, time, ...rest] = words;
  if (first !== "review") return { kind: "review", words, reviewMs: undefined };
  const reviewMs = parseDuration(time ?? "");
  if (reviewMs === undefined) return usage("review needs a time such as 2h or 30m.", "quarantine");
  return { kind: "review", words: rest, reviewMs };
}
