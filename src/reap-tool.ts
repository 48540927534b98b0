import { beat, readHeartbeat } from "./commands/heartbeat.ts";
import { type ReapedCluster, reap } from "./commands/reap.ts";
import { connectCluster, openClusters } from "./composition.ts";
import type { Config, Environment } from "./config.ts";
import { createRecords } from "./kubernetes/records.ts";

export type ReapTool = { readonly cluster: string | undefined; readonly dryRun: boolean };

/** `reap [--cluster X] [--dry-run]`. */
export function readReapTool([, ...args]: readonly string[]): ReapTool | { readonly problem: string } {
  let cluster: string | undefined;
  let dryRun = false;
  for (let at = 0; at < args.length; at += 1) {
    if (args[at] === "--dry-run") dryRun = true;
    else if (args[at] === "--cluster" && args[at + 1] !== undefined) cluster = args[(at += 1)];
    else return { problem: `reap: ${args[at]} is not understood. Usage: bulkhead reap [--cluster X] [--dry-run]` };
  }
  return { cluster, dryRun };
}

type Terminal = {
  readonly env: Environment;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly wait: (ms: number) => Promise<void>;
  readonly write: (line: string) => void;
  readonly complain: (line: string) => void;
  /** For each cluster; default 40 s: the next run comes in a minute. */
  readonly withinMs?: number;
};

/** Ends what is past its time in all clusters, or in one; exit code 0 where all that is past its time has ended, else 1. */
export async function runReap({ cluster, dryRun }: ReapTool, config: Config, terminal: Terminal): Promise<number> {
  const { env, now, monotonic, wait, write, complain, withinMs = 40_000 } = terminal;
  const wanted = config.clusters.filter(({ name }) => cluster === undefined || name === cluster);
  if (wanted.length === 0) {
    complain(`cluster ${cluster} is not configured`);
    return 2;
  }
  const { home } = config.settings.clusters;
  const opened = config.clusters.filter((one) => wanted.includes(one) || one.name === home);
  const connections = new Map(opened.map((one) => [one.name, connectCluster(one, env, now)]));
  const clusters = openClusters(opened, connections, () => ({ now, watch: false }));
  const reaping = { dryRun, wait, monotonic, withinMs, write: (line: object) => write(JSON.stringify(line)) };
  try {
    const found = await Promise.all(
      wanted.flatMap(({ name }) => {
        const entry = clusters.entries.get(name);
        return entry === undefined ? [] : [reap(entry.cluster, reaping)];
      }),
    );
    const connection = connections.get(home);
    if (!dryRun && connection !== undefined) {
      const records = createRecords(connection, config.settings.ownNamespace, "reaper");
      await tell(records, () => connection.serverTime()?.earliestMs, found).catch((error: unknown) =>
        complain(`the heartbeat could not be written: ${String(error)}`),
      );
    }
    return found.every(({ problems }) => problems.length === 0) ? 0 : 1;
  } finally {
    await clusters.close();
  }
}

/** The time is that of the home cluster, which reading the last one tells. */
async function tell(
  records: ReturnType<typeof createRecords>,
  timeMs: () => number | undefined,
  found: readonly ReapedCluster[],
): Promise<void> {
  if (timeMs() === undefined) await readHeartbeat(records);
  const at = timeMs();
  if (at === undefined) throw new Error("the API server says no time");
  await beat(records, Math.floor(at), found);
}
