import type { Logger } from "pino";
import type { ChainStore } from "./audit/log.ts";
import { keepAudit } from "./bot-audit.ts";
import type { Kept } from "./commands/adopt.ts";
import { askAllowances } from "./commands/ask-allowances.ts";
import type { Desk, Outlet } from "./commands/desk.ts";
import { expireRequests } from "./commands/expire-requests.ts";
import type { FallbackJournal } from "./commands/fallback.ts";
import { sweepKept } from "./commands/keep.ts";
import type { Journal } from "./commands/laptop.ts";
import { sweepOrphans } from "./commands/orphans.ts";
import { askReviews } from "./commands/review.ts";
import type { Services } from "./commands/services.ts";
import type { Takeover } from "./commands/takeover.ts";
import type { Config } from "./config.ts";
import type { createMetrics } from "./metrics.ts";
import type { Operation } from "./policy/operation.ts";
import type { RedisWatch } from "./redis-check.ts";
import type { StoredOperations } from "./scheduler/operations.ts";
import { type Sweep, startSweep } from "./scheduler/sweep.ts";
import { sweepTrouble } from "./trouble-log.ts";

const sweepEveryMs = 15_000;
/** The shortest are asked about five seconds before their end. */
const allowancesEveryMs = 2_000;
const approvalsEveryMs = 5_000;
const storeEveryMs = 5 * 60_000;
const takeoverEveryMs = 1_000;

/** The journal in Redis itself, and the one that falls back to the cluster. */
export type Journals = {
  readonly redis: Journal & { readonly audit: ChainStore; readonly operations: StoredOperations };
  readonly fallback: FallbackJournal;
};

/** What the sweeps work on. */
type Swept = {
  readonly services: Services;
  readonly store: RedisWatch;
  readonly journals: Journals;
  readonly records: Kept;
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly desk: Desk;
  readonly takeover: Takeover;
  readonly outletFor: (operation: Operation) => Outlet;
};

/** What is done again and again, each by itself. */
export function startSweeps({ config, services, desk, takeover, outletFor, ...parts }: Swept): readonly Sweep[] {
  const { store, journals, records } = parts;
  const sweep = sweeper(parts.log, parts.metrics);
  return [
    sweep("takeover", takeoverEveryMs, () => takeover.sweep()),
    sweep("reviews", sweepEveryMs, () => askReviews(services, outletFor)),
    sweep("allowances", allowancesEveryMs, () => askAllowances(services, outletFor)),
    sweep("approvals", approvalsEveryMs, () => expireRequests(services, outletFor)),
    sweep("kept", sweepEveryMs, () => sweepKept({ services, ...journals, records, outletFor })),
    sweep("audit", sweepEveryMs, () => keepAudit(journals.redis, config, services.replica)),
    sweep("samples", sweepEveryMs, () => desk.flush(false)),
    sweep("orphans", storeEveryMs, () => sweepOrphans(services)),
    sweep("store", storeEveryMs, () => store.check()),
  ];
}

function sweeper(log: Logger, metrics: ReturnType<typeof createMetrics>) {
  return (name: string, everyMs: number, work: () => Promise<unknown>) =>
    startSweep(everyMs, async () => void (await work()), sweepTrouble(name, { log, metrics }));
}
