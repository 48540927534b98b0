import type { WatchState } from "./kubernetes/watch-progress.ts";
import type { SlackWay } from "./slack/receive.ts";

type Standing = {
  /** How Slack's calls come in. */
  readonly mode: SlackWay["mode"];
  /** Whether a connection stands; over HTTP whether the port listens. */
  readonly slackConnected: boolean;
  readonly redisAnswers: boolean;
  /** Those of the home cluster. */
  readonly watches: readonly WatchState[];
};

/** What keeps the bot from being ready, and what is wrong though it is ready; in words, empty where nothing is. */
export type Readiness = { readonly missing: readonly string[]; readonly degraded: readonly string[] };

/**
 * Kubernetes is no condition: without it the bot still answers, and says so. Only the first reading of the home cluster
 * is waited for, and that until it fails; of other clusters nothing is. Redis is one by Socket Mode, where it only holds
 * up a roll-out. Over HTTP a replica that is not ready gets no calls: containment has to come in without Redis, too.
 */
export function readinessOf({ mode, slackConnected, redisAnswers, watches }: Standing): Readiness {
  const slack = slackConnected ? [] : ["Slack is not connected, or its port does not listen"];
  const redis = redisAnswers ? [] : ["Redis does not answer"];
  const cache = watches.every(({ synced, problem }) => synced || problem !== undefined)
    ? []
    : ["the cache of the cluster is not complete yet"];
  return mode === "http"
    ? { missing: [...slack, ...cache], degraded: redis }
    : { missing: [...slack, ...redis, ...cache], degraded: [] };
}
