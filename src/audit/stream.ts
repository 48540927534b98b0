import type { Redis } from "ioredis";
import { emptyHead } from "./chain.ts";
import type { ChainHead } from "./entry.ts";

/** One entry as it is stored, whatever was done to it: the number in its stream id, and its text. */
export type StoredText = { readonly seq: number; readonly text: string };

/**
 * `known`: an entry of that id is stored, as number `seq`. `lost`: the chain has another head, this one; `continues`
 * tells whether what the caller had seen of it is still there.
 */
export type Stored =
  | { readonly kind: "stored" }
  | { readonly kind: "known"; readonly seq: number }
  | { readonly kind: "lost"; readonly head: ChainHead; readonly continues: boolean };

/** An entry to be stored as number `next`, if the chain's head is still `after`. */
export type Link = {
  readonly id: string;
  readonly text: string;
  readonly after: ChainHead;
  readonly next: ChainHead;
  /** The newest head that this process knows of. */
  readonly seen: ChainHead;
  /** Fields beside the head that are set in the same step. */
  readonly marks: Marks;
};

/** What is known of the whole chain besides its head; set together with the entry that says so. */
export type Marks = Partial<Readonly<Record<"confirmedSeq" | "confirmedHash" | "lossSeq", string | number>>>;

/** Where the stored chain begins (`base` is the last entry that was trimmed), ends, and up to where it was exported. */
export type Bounds = {
  readonly base: ChainHead;
  readonly head: ChainHead;
  readonly confirmed: ChainHead;
  /** The entry which says that entries before it were lost; undefined where none were. */
  readonly lossSeq: number | undefined;
};

const stream = "{bulkhead}:audit";
/** Kept apart from the stream, so that a tail that was cut off the stream is missed. */
const headKey = "{bulkhead}:audit:head";
/** Entry id → sequence number. */
const idsKey = "{bulkhead}:audit:ids";

/** The number up to which every entry was told. */
const toldKey = "{bulkhead}:audit:told";

/**
 * Whether the store still holds what this process has seen at its head: entry ARGV[1] with hash ARGV[2]. What was
 * trimmed cannot be compared. The hash stands in the entry's text; looking for it spares decoding the whole.
 */
const continues = `
local function continues(seq, hash)
  if seq == "0" then return 1 end
  local base = redis.call("HMGET", KEYS[2], "baseSeq", "baseHash")
  if base[1] and tonumber(seq) < tonumber(base[1]) then return 1 end
  if base[1] == seq then return base[2] == hash and 1 or 0 end
  local found = redis.call("XRANGE", KEYS[1], seq .. "-0", seq .. "-0")[1]
  return found and string.find(found[2][2], hash, 1, true) and 1 or 0
end`;

/**
 * Compares the head and appends in one step, so that two writers cannot fork the chain. XADD comes first: it refuses
 * an id that is not beyond the stream's last one, and then nothing is written. Further arguments are fields of the head.
 */
const appendScript = `${continues}
local known = redis.call("HGET", KEYS[3], ARGV[1])
if known then return {"known", known} end
local head = redis.call("HMGET", KEYS[2], "seq", "hash")
local seq, hash = head[1] or "0", head[2] or ARGV[7]
if seq ~= ARGV[2] or hash ~= ARGV[3] then return {"lost", seq, hash, continues(ARGV[8], ARGV[9])} end
redis.call("XADD", KEYS[1], ARGV[4] .. "-0", "entry", ARGV[6])
redis.call("HSET", KEYS[2], "seq", ARGV[4], "hash", ARGV[5])
redis.call("HSET", KEYS[3], ARGV[1], ARGV[4])
for i = 10, #ARGV, 2 do redis.call("HSET", KEYS[2], ARGV[i], ARGV[i + 1]) end
return {"stored"}`;

const compareScript = `${continues}
local head = redis.call("HMGET", KEYS[2], "seq", "hash")
return {head[1] or "0", head[2] or ARGV[1], continues(ARGV[2], ARGV[3])}`;

/**
 * Takes entries up to a confirmed number away, with their ids, and records in the same step where the chain begins now.
 * Allowed where memory is full: it is what frees some.
 */
const trimScript = `#!lua flags=allow-oom
local state = redis.call("HMGET", KEYS[2], "baseSeq", "confirmedSeq")
if (state[1] or "0") ~= ARGV[1] or tonumber(ARGV[2]) > tonumber(state[2] or "0") then return 0 end
redis.call("HSET", KEYS[2], "baseSeq", ARGV[2], "baseHash", ARGV[3])
redis.call("XTRIM", KEYS[1], "MINID", ARGV[4])
for i = 5, #ARGV do redis.call("HDEL", KEYS[3], ARGV[i]) end
return 1`;

const raiseScript = `
if tonumber(ARGV[1]) > tonumber(redis.call("GET", KEYS[1]) or "0") then redis.call("SET", KEYS[1], ARGV[1]) end`;

/** Stores the entry, if the chain's head is still the one before it and no entry has that id. */
export async function storeEntry(redis: Redis, { id, text, after, next, seen, marks }: Link): Promise<Stored> {
  const reply = await redis.eval(
    appendScript,
    3,
    stream,
    headKey,
    idsKey,
    id,
    after.seq,
    after.hash,
    next.seq,
    next.hash,
    text,
    emptyHead.hash,
    seen.seq,
    seen.hash,
    ...Object.entries(marks).flat(),
  );
  const [kind, seq, hash, still] = reply as [string, string, string, number];
  if (kind === "stored") return { kind };
  if (kind === "known") return { kind, seq: Number(seq) };
  return { kind: "lost", head: { seq: Number(seq), hash }, continues: still === 1 };
}

/** The head as recorded beside the stream, and whether what was seen of the chain is still there. */
export async function compareHead(
  redis: Redis,
  seen: ChainHead,
): Promise<{ readonly head: ChainHead; readonly continues: boolean }> {
  const reply = await redis.eval(compareScript, 2, stream, headKey, emptyHead.hash, seen.seq, seen.hash);
  const [seq, hash, still] = reply as [string, string, number];
  return { head: { seq: Number(seq), hash }, continues: still === 1 };
}

/** The head as recorded beside the stream. */
export async function readHead(redis: Redis): Promise<ChainHead> {
  return (await readBounds(redis)).head;
}

export async function readBounds(redis: Redis): Promise<Bounds> {
  const fields = ["baseSeq", "baseHash", "seq", "hash", "confirmedSeq", "confirmedHash", "lossSeq"] as const;
  const [baseSeq, baseHash, seq, hash, confirmedSeq, confirmedHash, lossSeq] = await redis.hmget(headKey, ...fields);
  return {
    base: headOf(baseSeq, baseHash),
    head: headOf(seq, hash),
    confirmed: headOf(confirmedSeq, confirmedHash),
    lossSeq: typeof lossSeq === "string" ? Number(lossSeq) : undefined,
  };
}

function headOf(seq: string | null | undefined, hash: string | null | undefined): ChainHead {
  return typeof seq === "string" && typeof hash === "string" ? { seq: Number(seq), hash } : emptyHead;
}

/** Removes the entries after `base` up to `last`, whose ids are given; false where something changed meanwhile. */
export async function trimEntries(
  redis: Redis,
  base: ChainHead,
  last: ChainHead,
  ids: readonly string[],
): Promise<boolean> {
  const keys = [stream, headKey, idsKey];
  const args = [base.seq, last.seq, last.hash, `${last.seq + 1}-0`, ...ids];
  return (await redis.eval(trimScript, keys.length, ...keys, ...args)) === 1;
}

/** Bytes that stream and index of ids take in the server's memory. */
export async function storedBytes(redis: Redis): Promise<number> {
  const sizes = await Promise.all([stream, idsKey].map((key) => redis.memory("USAGE", key)));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

/** The sequence number of the entry of that id. */
export async function seqOfId(redis: Redis, id: string): Promise<number | undefined> {
  const seq = await redis.hget(idsKey, id);
  return seq === null ? undefined : Number(seq);
}

/** Up to which number every entry was told on some replica's standard output. */
export async function readTold(redis: Redis): Promise<number> {
  return Number((await redis.get(toldKey)) ?? 0);
}

/** Raises it; replicas that do so at once end at the highest. */
export async function raiseTold(redis: Redis, seq: number): Promise<void> {
  await redis.eval(raiseScript, 1, toldKey, seq);
}

/** At most `count` stored entries from number `from` on, oldest first. */
export async function entriesFrom(redis: Redis, from: number, count: number): Promise<readonly StoredText[]> {
  return (await redis.xrange(stream, `${from}-0`, "+", "COUNT", count)).map(storedText);
}

/** At most `count` stored entries below number `before` (all where undefined), newest first. */
export async function entriesBefore(
  redis: Redis,
  before: number | undefined,
  count: number,
): Promise<readonly StoredText[]> {
  const end = before === undefined ? "+" : `(${before}-0`;
  return (await redis.xrevrange(stream, end, "-", "COUNT", count)).map(storedText);
}

function storedText([id, fields]: [id: string, fields: string[]]): StoredText {
  return { seq: Number(id.split("-")[0]), text: fields[1] ?? "" };
}
