import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { ChainHead } from "../../src/audit/entry.ts";
import { waitFor } from "../wait.ts";
import { openAllowances, prepareNamespace } from "./allowance-people.ts";
import { type AllowanceWatcher, watchAllowances } from "./allowance-watcher.ts";
import { type Arena, type Replica, startArena } from "./arena.ts";
import { type Pulse, startPulse } from "./pulse.ts";
import type { Random } from "./random.ts";
import { useRealCluster } from "./real-cluster.ts";
import type { Fault } from "./tap.ts";

/** Three replicas, and people who open allowances while everything fails. */
export type Storm = {
  readonly arena: Arena;
  readonly watcher: AllowanceWatcher;
  /** Of the control plane, which has no faults of its own here, but may be slow: told, so that lateness can be judged. */
  readonly pulse: Pulse;
  /** Whether it is on the control plane of KUBECONFIG, with the rights of deploy/ and no more. */
  readonly isReal: boolean;
  /** Resolves when an object of each was there. */
  openAll(): Promise<void>;
  /** From now on everything fails, until `calm`. */
  rage(): Rage;
  /** Standard output of every process that ever ran, line by line. */
  outputs(): readonly (readonly string[])[];
  close(): Promise<void>;
};

export type Rage = {
  /** Lets every replica start once more; nothing fails any more. */
  calm(): Promise<{ readonly kills: number; readonly lost: ChainHead }>;
};

export type StormOptions = { readonly wanted: number; readonly random: Random };

const killEveryMs = 5_000;

export async function startStorm({ wanted, random }: StormOptions): Promise<Storm> {
  const namespace = `allow-${randomBytes(3).toString("hex")}`;
  const real = await useRealCluster([namespace]);
  const objects = [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }];
  // No reaper runs here: the replicas have to do.
  const config = { allow: { requireReaper: false } };
  const arena = await startArena({ config, ...(real === undefined ? { objects } : { kubernetes: real.kubernetes }) });
  await prepareNamespace(arena, namespace);
  const watcher = await watchAllowances(arena.admin, 3_600);
  const pulse = await startPulse(arena.admin, namespace);
  const outputs: (readonly string[])[] = [];
  const start = async (replica: Replica): Promise<void> => {
    outputs.push((await replica.start()).lines);
  };
  for (let i = 0; i < 3; i += 1) await start(await arena.addReplica());
  return {
    arena,
    watcher,
    pulse,
    isReal: real !== undefined,
    openAll: () => openAllowances({ arena, watcher, namespace, wanted }),
    rage() {
      for (const { kube } of arena.replicas) kube.decide(() => failing(random));
      const killing = startKilling(arena, start);
      const lost = redisTrouble({ arena, watcher, wanted, kills: killing.kills });
      // It is looked at in the end.
      lost.catch(() => undefined);
      return {
        async calm() {
          await killing.stop();
          for (const { kube } of arena.replicas) kube.decide(undefined);
          return { kills: killing.kills(), lost: await lost };
        },
      };
    },
    outputs: () => outputs,
    async close() {
      await pulse.stop();
      await watcher.stop();
      await arena.close();
      await real?.remove();
    },
  };
}

/** Every fifth call; of those one in six took effect all the same. */
function failing(random: Random): Fault | undefined {
  if (!random.chance(0.2)) return undefined;
  return random.pick<Fault>([
    { instead: 500 },
    { instead: 500 },
    { instead: 503 },
    { instead: "reset" },
    { instead: "reset" },
    { answer: "reset" },
  ]);
}

/** kill -9 of one replica after the other; who was killed starts again at once. */
function startKilling(arena: Arena, start: (replica: Replica) => Promise<void>) {
  let kills = 0;
  let goesOn = true;
  const starting: Promise<void>[] = [];
  const done = (async () => {
    for (let turn = 0; goesOn; turn += 1) {
      await delay(killEveryMs);
      const replica = arena.replicas[turn % arena.replicas.length];
      if (replica?.bot() === undefined) continue;
      await replica.kill();
      kills += 1;
      starting.push(startAgain(replica, start));
    }
  })();
  return {
    kills: () => kills,
    async stop() {
      goesOn = false;
      await done;
      await Promise.all(starting);
    },
  };
}

/** As its Deployment would do. */
async function startAgain(replica: Replica, start: (replica: Replica) => Promise<void>): Promise<void> {
  for (let tries = 0; tries < 10; tries += 1) {
    try {
      return await start(replica);
    } catch {
      await delay(500);
    }
  }
  throw new Error(`${replica.name} does not start any more`);
}

type Redis = Pick<StormOptions, "wanted"> & Pick<Storm, "arena" | "watcher"> & { readonly kills: () => number };

/** Redis dies after a third of them, and is emptied after two thirds; what the chain had come to then. */
async function redisTrouble({ arena, watcher, wanted, kills }: Redis): Promise<ChainHead> {
  const untilThereWere = (count: number) =>
    waitFor(() => watcher.lives().length >= count, { timeoutMs: 600_000, everyMs: 100 });
  await untilThereWere(wanted / 3);
  await arena.server.kill();
  await delay(2_000);
  await arena.server.restart();
  await untilThereWere((wanted * 2) / 3);
  await untilWriterLives(arena, kills);
  const done = await arena.redis.multi().hmget("{bulkhead}:audit:head", "seq", "hash").flushall().exec();
  const [, found] = done?.[0] ?? [];
  const [seq, hash] = found as [string, string];
  return { seq: Number(seq), hash };
}

/**
 * Until the chain's last entry was written by a process that lives on for some seconds: whoever writes an entry may be
 * the only one that knows of it, until it writes the next.
 */
async function untilWriterLives({ redis }: Arena, kills: () => number): Promise<void> {
  const entries = () => redis.xlen("{bulkhead}:audit");
  const until = Date.now() + 120_000;
  while (Date.now() < until) {
    const killed = kills();
    await waitFor(() => kills() > killed, { timeoutMs: 60_000 });
    const before = await entries();
    const grew = waitFor(async () => (await entries()) > before, { timeoutMs: killEveryMs / 2 });
    if (await grew.catch(() => false)) return;
  }
  throw new Error("nothing was written to the chain any more");
}
