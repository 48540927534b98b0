import { randomUUID } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Redis } from "ioredis";
import { packed, unpacked } from "./baselines.ts";
import type { Spike, SpikeEnd } from "./spike.ts";
import { createSpikes, type SpikeState, type Step } from "./spikes.ts";

/** Where a message about it stands. Without `ts` a replica was about to post it there, and nobody heard how that went. */
export type SpikeCard = { readonly channel: string; readonly ts: string | undefined };

/** A spike as it is stored, before anybody is told of it. */
export type StoredSpike = {
  readonly spike: Spike;
  readonly end: Omit<SpikeEnd, "spike"> | undefined;
  readonly cards: readonly SpikeCard[];
  /** What the cards say is as it stands. */
  readonly isTold: boolean;
  /** Rises by one with each stored change. */
  readonly revision: number;
};

/** Shared by all replicas. Every method throws where the store is away. */
export type SpikeStore = {
  /** The last minute that was judged, milliseconds since the epoch; undefined: none yet. Reads far less than `read`. */
  judgedMs(cluster: string): Promise<number | undefined>;
  /** One that knows nothing where nothing is stored, or what a newer version wrote. */
  read(cluster: string): Promise<SpikeState>;
  /** False where another replica judged that minute: then nothing was stored, and nothing is to be told. */
  store(before: SpikeState, step: Step): Promise<boolean>;
  /** Those that go on, and those of the last day. */
  all(cluster: string): Promise<readonly StoredSpike[]>;
  /**
   * Takes the telling of it upon itself for half a minute, and says how it stands then: another replica may just have told it.
   * Undefined where another one does, or nothing is left to be told.
   */
  claim(stored: StoredSpike): Promise<StoredSpike | undefined>;
  /** For half a minute from now. False where that was over already, and another replica may have taken it. */
  renew(stored: StoredSpike): Promise<boolean>;
  /** In which messages it is told so far, while more are under way. False as `renew`: nothing was stored then. */
  telling(stored: StoredSpike, cards: readonly SpikeCard[]): Promise<boolean>;
  /** In which messages it is told; and where `isAll`, that nothing of this revision is left to be told. Ends the claim. */
  told(stored: StoredSpike, cards: readonly SpikeCard[], isAll: boolean): Promise<void>;
};

/** Renewed while Slack takes its time: so long after a replica was killed another one goes on. */
const claimMs = 30_000;
const keptMs = 24 * 3_600_000;
const mostSeries = 20_000;

const stateKey = (cluster: string): string => `{bulkhead}:spikes:state:${cluster}`;
const spikesKey = (cluster: string): string => `{bulkhead}:spikes:of:${cluster}`;
const cardsKey = (cluster: string): string => `{bulkhead}:spikes:cards:${cluster}`;
const claimKey = ({ spike }: StoredSpike): string => `{bulkhead}:spikes:claim:${spike.id}`;

/** The minute that was judged last has to be the one that was read: two replicas cannot both judge the next. */
const storeScript = `
local minute = redis.call("HGET", KEYS[1], "minute") or ""
if minute ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "minute", ARGV[2], "state", ARGV[3])
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == "" then
    redis.call("HDEL", KEYS[2], ARGV[i])
    redis.call("HDEL", KEYS[3], ARGV[i])
  else redis.call("HSET", KEYS[2], ARGV[i], ARGV[i + 1]) end
end
return 1`;

const renewScript = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 1`;

const releaseScript = `
if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end`;

/** Whoever lost the claim writes nothing over what another replica told. */
const tellingScript = `
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], ARGV[2], ARGV[3])
return 1`;

/** What changed meanwhile is told again, in the messages that are there. */
const toldScript = `
if redis.call("GET", KEYS[3]) ~= ARGV[5] then return 0 end
redis.call("DEL", KEYS[3])
local stored = redis.call("HGET", KEYS[1], ARGV[1])
if not stored then return 0 end
redis.call("HSET", KEYS[2], ARGV[1], ARGV[4])
if ARGV[3] ~= "" and cjson.decode(stored).revision == tonumber(ARGV[2]) then
  redis.call("HSET", KEYS[1], ARGV[1], ARGV[3])
end
return 1`;

export function createSpikeStore(redis: Redis): SpikeStore {
  const all = async (cluster: string): Promise<readonly StoredSpike[]> => {
    const [stored, cards] = await Promise.all([redis.hgetall(spikesKey(cluster)), redis.hgetall(cardsKey(cluster))]);
    return Object.entries(stored).flatMap(([id, text]) => storedOf(text, cards[id]) ?? []);
  };
  return {
    all,
    judgedMs: (cluster) => minuteOf(redis, cluster),
    async read(cluster) {
      const state = await redis.hgetBuffer(stateKey(cluster), "state");
      const read = state === null ? undefined : stateOf(state);
      return read ?? { ...createSpikes(cluster, mostSeries), minuteMs: await minuteOf(redis, cluster) };
    },
    async store(before, { state, begun, grown, ended }) {
      const known = new Map((await all(state.cluster)).map((one) => [one.spike.id, one]));
      const changed = [
        ...begun.map((spike) => changedTo(known, spike, undefined)),
        ...grown.map((spike) => changedTo(known, spike, undefined)),
        ...ended.map(({ spike, ...end }) => changedTo(known, spike, end)),
      ].map((one) => [one.spike.id, textOf(one)] as const);
      // Told or not: a channel that the bot is not in would keep them for ever.
      const old = [...known.values()].filter((one) => isOver(one, state.minuteMs ?? 0));
      const gone = old.map(({ spike }) => [spike.id, ""] as const);
      const [was, is] = [before.minuteMs ?? "", state.minuteMs ?? ""];
      const keys = [stateKey(state.cluster), spikesKey(state.cluster), cardsKey(state.cluster)];
      return (
        (await redis.eval(storeScript, 3, ...keys, was, is, bytesOf(state), ...[...gone, ...changed].flat())) === 1
      );
    },
    ...createTelling(redis),
  };
}

/** Of claims, each by this store alone and no other that ever was. */
function createTelling(redis: Redis): Pick<SpikeStore, "claim" | "renew" | "telling" | "told"> {
  const holder = randomUUID();
  const one = async ({ spike: { cluster, id } }: StoredSpike): Promise<StoredSpike | undefined> => {
    const [text, cards] = await Promise.all([redis.hget(spikesKey(cluster), id), redis.hget(cardsKey(cluster), id)]);
    return text === null ? undefined : storedOf(text, cards ?? undefined);
  };
  return {
    async claim(stored) {
      if ((await redis.set(claimKey(stored), holder, "PX", claimMs, "NX")) !== "OK") return undefined;
      const now = await one(stored);
      if (now?.isTold === false) return now;
      await redis.eval(releaseScript, 1, claimKey(stored), holder);
      return undefined;
    },
    renew: async (stored) => (await redis.eval(renewScript, 1, claimKey(stored), holder, claimMs)) === 1,
    async telling(stored, cards) {
      const { cluster, id } = stored.spike;
      const keys = [cardsKey(cluster), claimKey(stored)];
      return (await redis.eval(tellingScript, 2, ...keys, holder, id, JSON.stringify(cards))) === 1;
    },
    async told(stored, cards, isAll) {
      const { spike, revision } = stored;
      const keys = [spikesKey(spike.cluster), cardsKey(spike.cluster), claimKey(stored)];
      const text = isAll ? textOf({ ...stored, isTold: true }) : "";
      await redis.eval(toldScript, 3, ...keys, spike.id, revision, text, JSON.stringify(cards), holder);
    },
  };
}

function changedTo(known: ReadonlyMap<string, StoredSpike>, spike: Spike, end: StoredSpike["end"]): StoredSpike {
  const { cards = [], revision = 0 } = known.get(spike.id) ?? {};
  return { spike, end, cards, isTold: false, revision: revision + 1 };
}

function isOver({ end }: StoredSpike, nowMs: number): boolean {
  return end !== undefined && end.sinceMs < nowMs - keptMs;
}

const version = 1;

/** Cards lie beside it: what is told does not wait for what is judged. */
function textOf({ cards: _cards, ...stored }: StoredSpike): string {
  return JSON.stringify({ v: version, ...stored });
}

/** Undefined for what a newer version wrote: it stays where it is. */
function storedOf(text: string, cards = "[]"): StoredSpike | undefined {
  const { v, ...stored } = JSON.parse(text) as Omit<StoredSpike, "cards"> & { readonly v: number };
  return v === version ? { ...stored, cards: JSON.parse(cards) } : undefined;
}

/** A line of JSON, then the table, compressed. */
function bytesOf({ table, ...rest }: SpikeState): Buffer {
  const head = Buffer.from(`${JSON.stringify({ v: version, ...rest, most: table.most })}\n`);
  return Buffer.concat([head, gzipSync(packed(table), { level: 1 })]);
}

function stateOf(bytes: Buffer): SpikeState | undefined {
  const end = bytes.indexOf(10);
  const { v, most, ...rest } = JSON.parse(bytes.toString("utf8", 0, end));
  if (v !== version) return undefined;
  return { ...rest, table: unpacked(gunzipSync(bytes.subarray(end + 1)), most) };
}

async function minuteOf(redis: Redis, cluster: string): Promise<number | undefined> {
  const minute = await redis.hget(stateKey(cluster), "minute");
  return minute === null || minute === "" ? undefined : Number(minute);
}
