import type { Age } from "../kubernetes/cluster.ts";
import type { FailureKind, KubernetesError } from "../kubernetes/failure.ts";
import type { WatchState } from "../kubernetes/watch-progress.ts";
import { formatDuration } from "../policy/duration.ts";
import { note, text } from "./answers.ts";
import type { Reply } from "./reply.ts";

/** Said on whatever was read from an old cache: how old it is, and why. */
export function knownBefore({ ageMs, unanswered }: Age): string | undefined {
  if (unanswered === undefined) return undefined;
  return `This is what was known ${ago(ageMs)} ago: the API server cannot be asked now (${unanswered.message}).`;
}

/** Said on a plan that was drawn from an old cache. */
export function oldPlan(age: Age): readonly string[] {
  const known = knownBefore(age);
  return known === undefined ? [] : [`${known} Confirm asks again before anything is written.`];
}

/** Where the cluster cannot be asked the plan is not checked: nothing is written, and it stays as it is. */
export function planStays(error: KubernetesError, button: "Confirm" | "Approve" | "Try again" = "Confirm"): Reply {
  const stays = `Nothing was written. The plan stays as it is: press ${button} again when the cluster answers.`;
  return note(
    "Not done: the cluster cannot be asked",
    [text(error.message), text(whatToDo(error)), text(stays)],
    "failed",
  );
}

/** What a person can do about it, in a sentence or two. */
export function whatToDo({ kind, retryAfterMs }: KubernetesError): string {
  if (kind === "throttled") return `The API server is overloaded: try again in ${ago(retryAfterMs ?? 10_000)}.`;
  return advice[kind] ?? "Type /np status to see what is in force, then try again.";
}

const away = "Try again when it answers; kubectl get --raw /readyz tells whether it does.";
const renew = "Renew the credentials: they were read again just now, and are read again at the next try.";

const advice: Partial<Record<FailureKind, string>> = {
  timeout: away,
  unreachable: away,
  "server-error": "The API server has trouble of its own: try again in a moment.",
  unauthorized: renew,
  credentials: renew,
  "not-kubernetes": "Something else answers at its address (a proxy, a login page): look at server in the kubeconfig.",
};

/** Which kinds the cache has not seen for a while, and why; plans ask the server for them. */
export function cacheLines(watches: readonly WatchState[], now: number): readonly string[] {
  return watches.flatMap(({ path, seenAtMs, problem }) => {
    if (problem === undefined || (seenAtMs !== undefined && now - seenAtMs < oldAfterMs)) return [];
    const since = seenAtMs === undefined ? "was never read" : `was last seen ${ago(now - seenAtMs)} ago`;
    return [`The cache of ${path.split("/").at(-1)} ${since}: ${problem.message}.`];
  });
}

const oldAfterMs = 30_000;

function ago(ms: number): string {
  return formatDuration(Math.max(1_000, ms));
}
