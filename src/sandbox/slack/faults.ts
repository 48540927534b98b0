import type { Arguments } from "./method.ts";

/** What happens to a call instead of its answer. */
export type Fault =
  /** 429 with Retry-After; nothing was done. */
  | { readonly kind: "rate-limited"; readonly retryAfterS: number }
  /** 500, 503 …; nothing was done. */
  | { readonly kind: "status"; readonly status: number }
  /** 200 with `{ ok: false, error }`; nothing was done. */
  | { readonly kind: "error"; readonly error: string }
  /** Nothing was done, and no answer comes, or the connection breaks. */
  | { readonly kind: "hang" | "reset" }
  /** It was done, and no answer comes, or the connection breaks. */
  | { readonly kind: "lost"; readonly by: "hang" | "reset" }
  /** It was done at once, and the answer comes late. */
  | { readonly kind: "slow"; readonly delayMs: number };

/** Which calls it meets, and until when; the first rule that fits a call decides. */
export type FaultRule = Fault & {
  /** `chat.update`, `chat.*`, `response_url`; every method of the Web API where absent. */
  readonly method?: string;
  /** Only calls with this `channel`. */
  readonly channel?: string;
  /** So many calls; without end where absent. */
  readonly times?: number;
  /** By the sandbox's clock; without end where absent. */
  readonly forMs?: number;
};

/** Faults on demand. */
export type Faults = {
  /** From now on; the answer ends it early. */
  add(rule: FaultRule): () => void;
  /** Everything is well again. */
  clear(): void;
  /** What is to happen to this call, which counts. */
  take(method: string, args: Arguments): Fault | undefined;
};

export function createFaults(now: () => number): Faults {
  const rules = new Set<{ readonly rule: FaultRule; readonly until: number; left: number }>();
  return {
    add: (rule) => {
      const entry = { rule, until: now() + (rule.forMs ?? Infinity), left: rule.times ?? Infinity };
      rules.add(entry);
      return () => void rules.delete(entry);
    },
    clear: () => rules.clear(),
    take: (method, args) => {
      const met = [...rules].find(
        ({ rule, until, left }) => left > 0 && now() < until && concerns(rule, method, args.get("channel")),
      );
      if (met !== undefined) met.left -= 1;
      return met?.rule;
    },
  };
}

function concerns({ method: pattern, channel }: FaultRule, method: string, where: unknown): boolean {
  if (channel !== undefined && channel !== where) return false;
  if (pattern === undefined) return method !== "response_url";
  return pattern.endsWith("*") ? method.startsWith(pattern.slice(0, -1)) : method === pattern;
}
