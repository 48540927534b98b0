import { Gauge, type Registry } from "prom-client";

/** How a replica, and what it answers for, stands at a moment. Rules (deploy/components/prometheus) and dashboards ask for these. */
export type Standing = {
  readonly slackConnected: boolean;
  /** Whether the audit chain could be reached, and what waits for it on this replica's disk; bytes, undefined: not known. */
  readonly audit: { readonly reached: boolean; readonly spooledBytes: number | undefined };
  readonly clusters: readonly ClusterStanding[];
  /** Undefined where the store is away. */
  readonly inForce: readonly InForce[] | undefined;
};

export type ClusterStanding = {
  readonly name: string;
  /** Since when the oldest of its watches was confirmed as current; undefined: not one of them ever was. */
  readonly cacheAgeMs: number | undefined;
  /** Whether the reaper reads it as it should, and how long ago it last did. */
  readonly reaper: { readonly isFresh: boolean; readonly ageMs: number | undefined };
};

/** `verdict`: of what isolates; `other` for what does not. */
export type InForce = {
  readonly cluster: string;
  readonly kind: "quarantine" | "lockdown" | "allowance";
  readonly verdict: "isolated" | "not-isolated" | "unknown" | "other";
  /** Whether something of it is not as it was written (src/policy/drift.ts). */
  readonly isDrifted: boolean;
};

const kinds = ["quarantine", "lockdown"] as const;
const verdicts = ["isolated", "not-isolated", "unknown"] as const;

export type StandingMetrics = { stands(standing: Standing): void };

/** Registers them. Labels are names of configured clusters, and closed sets. */
export function createStandingMetrics(registry: Registry): StandingMetrics {
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const slack = gauge("bulkhead_slack_connected", "Whether a connection to Slack stands, or its port listens");
  const reached = gauge("bulkhead_audit_reached", "Whether the audit chain could be reached");
  const spooled = gauge("bulkhead_audit_spooled_bytes", "Audit entries on this replica's disk");
  const age = gauge("bulkhead_cluster_cache_age_seconds", "Since the oldest watch was confirmed", ["cluster"]);
  const fresh = gauge("bulkhead_reaper_up", "Whether the reaper reads the cluster in time", ["cluster"]);
  const read = gauge("bulkhead_reaper_age_seconds", "Since the reaper last read the cluster", ["cluster"]);
  const inForce = createInForce(registry);
  return {
    stands({ slackConnected, audit, clusters, inForce: all }) {
      slack.set(slackConnected ? 1 : 0);
      reached.set(audit.reached ? 1 : 0);
      if (audit.spooledBytes !== undefined) spooled.set(audit.spooledBytes);
      for (const { name: cluster, cacheAgeMs, reaper } of clusters) {
        if (cacheAgeMs === undefined) age.remove({ cluster });
        else age.set({ cluster }, cacheAgeMs / 1_000);
        fresh.set({ cluster }, reaper.isFresh ? 1 : 0);
        if (reaper.ageMs !== undefined) read.set({ cluster }, reaper.ageMs / 1_000);
      }
      if (all === undefined) return;
      inForce(
        clusters.map(({ name }) => name),
        all,
      );
    },
  };
}

/** Tells what is in force: all of these clusters. */
function createInForce(registry: Registry): (clusters: readonly string[], all: readonly InForce[]) => void {
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const inForce = gauge("bulkhead_in_force", "Operations in force", ["cluster", "kind", "verdict"]);
  const drifted = gauge("bulkhead_drifted", "Operations in force that are not as they were written", ["cluster"]);
  return (clusters, all) => {
    for (const cluster of clusters) {
      drifted.set({ cluster }, 0);
      for (const one of sets(cluster)) inForce.set(one, 0);
    }
    for (const { cluster, kind, verdict, isDrifted } of all) {
      inForce.inc({ cluster, kind, verdict });
      drifted.inc({ cluster }, isDrifted ? 1 : 0);
    }
  };
}

/** All of them are there from the beginning: what was never 0 has no rise. */
function sets(cluster: string) {
  const isolating = kinds.flatMap((kind) => verdicts.map((verdict) => ({ cluster, kind, verdict })));
  return [...isolating, { cluster, kind: "allowance", verdict: "other" }] as const;
}
