import type { ChainStore } from "./audit/log.ts";
import { reaperState } from "./commands/heartbeat.ts";
import type { Services } from "./commands/services.ts";
import { standingHeadline } from "./commands/standing-headline.ts";
import { standingDrift } from "./policy/drift.ts";
import type { Operation } from "./policy/operation.ts";
import { type Sweep, type SweepOptions, startSweep } from "./scheduler/sweep.ts";
import type { ClusterStanding, InForce, StandingMetrics } from "./standing-metrics.ts";

const everyMs = 15_000;

export type StandingWiring = SweepOptions & {
  readonly services: Services;
  readonly audit: Pick<ChainStore, "health">;
  readonly slackConnected: () => boolean;
  readonly metrics: StandingMetrics;
};

/** Measures again and again how this replica stands. What cannot be told keeps its last value, and says so by another one. */
export function startStanding({ services, audit, slackConnected, metrics, ...options }: StandingWiring): Sweep {
  return startSweep(
    everyMs,
    async () => {
      const [health, inForce, clusters] = await Promise.all([
        audit.health().catch(() => undefined),
        services.operations.list({ live: true }).catch(() => undefined),
        Promise.all([...services.clusters.keys()].map((name) => standingOf(services, name))),
      ]);
      metrics.stands({
        slackConnected: slackConnected(),
        audit: { reached: health !== undefined, spooledBytes: health?.spooledBytes },
        clusters,
        inForce: inForce?.flatMap(inForceOf),
      });
    },
    options,
  );
}

async function standingOf(services: Services, name: string): Promise<ClusterStanding> {
  const watches = services.clusters.get(name)?.cluster.watches() ?? [];
  const seen = watches.map(({ seenAtMs }) => seenAtMs);
  const known = seen.flatMap((ms) => (ms === undefined ? [] : [ms]));
  const { state, ageMs } = await reaperState(services, name);
  return {
    name,
    cacheAgeMs: known.length === 0 ? undefined : Math.max(0, services.now() - Math.min(...known)),
    reaper: { isFresh: state === "fresh", ageMs },
  };
}

function inForceOf(operation: Operation): readonly InForce[] {
  const { kind, state, target } = operation;
  if (state !== "in-force") return [];
  const isDrifted = standingDrift(operation).length > 0;
  if (kind === "allowance") return [{ cluster: target.cluster, kind, verdict: "other", isDrifted }];
  if (kind !== "quarantine" && kind !== "lockdown") return [];
  return [{ cluster: target.cluster, kind, verdict: verdictOf(operation), isDrifted }];
}

/** As its card says. */
function verdictOf(operation: Operation): InForce["verdict"] {
  const headline = standingHeadline(operation) ?? operation.result?.headline ?? "";
  if (headline.startsWith("NOT ISOLATED")) return "not-isolated";
  return headline.startsWith("ISOLATED") ? "isolated" : "unknown";
}
