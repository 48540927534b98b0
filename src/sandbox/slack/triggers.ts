import { randomUUID } from "node:crypto";

/** trigger_id: 3 s, once. */
export type Triggers = {
  /** For what that person just did. */
  issue(user: string): string;
  /** Who did it; or the error of `views.open`, and then the trigger is as it was. */
  exchange(trigger: string): { readonly user: string } | { readonly error: TriggerError };
};

type TriggerError = "invalid_trigger_id" | "expired_trigger_id" | "exchanged_trigger_id";

const lifetimeMs = 3_000;

export function createTriggers(now: () => number): Triggers {
  const issued = new Map<string, { readonly user: string; readonly at: number; used: boolean }>();
  return {
    issue: (user) => {
      const trigger = `${now()}.${randomUUID().replaceAll("-", "")}`;
      issued.set(trigger, { user, at: now(), used: false });
      return trigger;
    },
    exchange: (trigger) => {
      const entry = issued.get(trigger);
      if (entry === undefined) return { error: "invalid_trigger_id" };
      if (entry.used) return { error: "exchanged_trigger_id" };
      if (now() - entry.at > lifetimeMs) return { error: "expired_trigger_id" };
      entry.used = true;
      return { user: entry.user };
    },
  };
}
