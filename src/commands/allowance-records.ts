import type { Operation } from "../policy/operation.ts";
import { inTime } from "./clusters.ts";
import type { Services } from "./services.ts";

/** What the records know of how long allowances hold, and what this replica remembers of that while Redis is away. */
export type AllowanceRecords = {
  /** The TTL that was granted, with an extension that may be on the objects already; undefined where nobody knows. Within a second; never rejects. */
  secondsOf(operation: string): Promise<number | undefined>;
  /** What was known of it last. */
  remembered(operation: string): number | undefined;
  /** What is stored of it was read just now. */
  remember(operation: Operation): void;
  /** Forgets all but these. */
  keepOnly(operations: ReadonlySet<string>): void;
};

export function createAllowanceRecords({ operations, now }: Pick<Services, "operations" | "now">): AllowanceRecords {
  const known = new Map<string, number>();
  const remember = (operation: Operation): void => {
    const seconds = grantedSeconds(operation, now());
    if (seconds !== undefined) known.set(operation.id, seconds);
  };
  return {
    async secondsOf(id) {
      const stored = await inTime(operations.get(id), 1_000).catch(() => undefined);
      if (stored !== undefined) remember(stored);
      return known.get(id);
    },
    remembered: (id) => known.get(id),
    remember,
    keepOnly(ids) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    },
  };
}

/** What was begun and not settled within this is none: whoever asked for it was told that it failed, or nothing. */
const extendingMs = 60_000;

function grantedSeconds({ allowance, plan }: Operation, now: number): number | undefined {
  const { ttlSeconds = plan?.kind === "allow" ? plan.ttlSeconds : undefined, extending } = allowance ?? {};
  if (ttlSeconds === undefined) return undefined;
  const isUnderWay = extending !== undefined && now - extending.at < extendingMs;
  return isUnderWay ? Math.max(ttlSeconds, extending.ttlSeconds) : ttlSeconds;
}
