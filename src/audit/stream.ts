import type { Redis } from "ioredis";
import { emptyHead } from "./chain.ts";
import type { ChainHead } from "./entry.ts";

/** One entry as it is stored, whatever was done to it: the number in its stream id, and its text. */
export type StoredText = { readonly seq: number; readonly text: string };

/** `known`: an entry of that id is stored, as number `seq`. `lost`: the chain has grown, and this is its head. */
export type Stored =
  | { readonly kind: "stored" }
  | { readonly kind: "known"; readonly seq: number }
  | { readonly kind: "lost"; readonly head: ChainHead };

const stream = "{bulkhead}:audit";
/** Kept apart from the stream, so that a tail that was cut off the stream is missed. */
const headKey = "{bulkhead}:audit:head";
/** Entry id → sequence number. */
const idsKey = "{bulkhead}:audit:ids";

/** The number up to which every entry was told. */
const toldKey = "{bulkhead}:audit:told";

/**
 * Compares the head and appends in one step, so that two writers cannot fork the chain. XADD comes first: it refuses
 * an id that is not beyond the stream's last one, and then nothing is written.
 */
const appendScript = `
local known = redis.call("HGET", KEYS[3], ARGV[1])
if known then return {"known", known} end
local head = redis.call("HMGET", KEYS[2], "seq", "hash")
local seq, hash = head[1] or "0", head[2] or ARGV[7]
if seq ~= ARGV[2] or hash ~= ARGV[3] then return {"lost", seq, hash} end
redis.call("XADD", KEYS[1], ARGV[4] .. "-0", "entry", ARGV[6])
redis.call("HSET", KEYS[2], "seq", ARGV[4], "hash", ARGV[5])
redis.call("HSET", KEYS[3], ARGV[1], ARGV[4])
return {"stored"}`;

const raiseScript = `
if tonumber(ARGV[1]) > tonumber(redis.call("GET", KEYS[1]) or "0") then redis.call("SET", KEYS[1], ARGV[1]) end`;

/** Stores the text as entry `next`, if the chain's head is still `head` and no entry has that id. */
export async function storeEntry(
  redis: Redis,
  entry: { readonly id: string; readonly text: string },
  head: ChainHead,
  next: ChainHead,
): Promise<Stored> {
  const reply = await redis.eval(
    appendScript,
    3,
    stream,
    headKey,
    idsKey,
    entry.id,
    head.seq,
    head.hash,
    next.seq,
    next.hash,
    entry.text,
    emptyHead.hash,
  );
  const [kind, seq, hash] = reply as [string, string, string];
  if (kind === "stored") return { kind };
  if (kind === "known") return { kind, seq: Number(seq) };
  return { kind: "lost", head: { seq: Number(seq), hash } };
}

/** The head as recorded beside the stream. */
export async function readHead(redis: Redis): Promise<ChainHead> {
  const [seq, hash] = await redis.hmget(headKey, "seq", "hash");
  return typeof seq === "string" && typeof hash === "string" ? { seq: Number(seq), hash } : emptyHead;
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
