import { type Arguments, stringOf } from "./method.ts";

/** Slack's rate limits, for the whole workspace. */
export type Limits = {
  /** Whether they hold from now on, all budgets full. */
  set(on: boolean): void;
  /** Counts the call; seconds to wait where it is beyond its budget, else undefined. */
  take(method: string, args: Arguments): number | undefined;
};

/** Calls a minute of each tier (facts, section 1.3); a budget may be spent at once. */
const tiers: Readonly<Record<string, number>> = {
  "usergroups.list": 20,
  "usergroups.users.list": 20,
  "chat.update": 50,
  "chat.delete": 50,
  "conversations.info": 50,
  "conversations.open": 50,
  "chat.postEphemeral": 100,
  "conversations.members": 100,
  "users.info": 100,
  "files.getUploadURLExternal": 100,
  "files.completeUploadExternal": 100,
  "views.open": 100,
  "views.update": 100,
  "views.push": 100,
};
/** chat.postMessage: one a second in each channel; how many may burst is not documented. */
const channelBudget = { perMinute: 60, burst: 5 };

export function createLimits(now: () => number, on: boolean): Limits {
  const buckets = new Map<string, { tokens: number; at: number }>();
  let holding = on;
  return {
    set: (chosen) => {
      holding = chosen;
      buckets.clear();
    },
    take: (method, args) => {
      const budget = holding ? budgetOf(method, args) : undefined;
      if (budget === undefined) return undefined;
      const perMs = budget.perMinute / 60_000;
      const bucket = buckets.get(budget.key) ?? { tokens: budget.burst, at: now() };
      const tokens = Math.min(budget.burst, bucket.tokens + (now() - bucket.at) * perMs);
      buckets.set(budget.key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now() });
      return tokens >= 1 ? undefined : Math.max(1, Math.ceil((1 - tokens) / perMs / 1_000));
    },
  };
}

type Budget = { readonly key: string; readonly perMinute: number; readonly burst: number };

function budgetOf(method: string, args: Arguments): Budget | undefined {
  if (method === "chat.postMessage") return { key: `${method} ${stringOf(args, "channel")}`, ...channelBudget };
  const perMinute = tiers[method];
  return perMinute === undefined ? undefined : { key: method, perMinute, burst: perMinute };
}
