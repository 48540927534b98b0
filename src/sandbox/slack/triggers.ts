import { randomUUID } from "node:crypto";

/** trigger_id: 3 s, once. */
export type Triggers = {
  issue(): string;
  /** Undefined where it was good; else the error of `views.open`. */
  exchange(trigger: string): "invalid_trigger_id" | "expired_trigger_id" | "exchanged_trigger_id" | undefined;
};

const lifetimeMs = 3_000;

export function createTriggers(now: () => number): Triggers {
  const issued = new Map<string, { readonly at: number; used: boolean }>();
  return {
    issue: () => {
      const trigger = `${now()}.${randomUUID().replaceAll("-", "")}`;
      issued.set(trigger, { at: now(), used: false });
      return trigger;
    },
    exchange: (trigger) => {
      const entry = issued.get(trigger);
      if (entry === undefined) return "invalid_trigger_id";
      if (entry.used) return "exchanged_trigger_id";
      if (now() - entry.at > lifetimeMs) return "expired_trigger_id";
      entry.used = true;
      return undefined;
    },
  };
}
