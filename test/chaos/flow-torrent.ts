import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { methodOf } from "../../src/flows/grpc-connection.ts";
import { deniedWindow } from "../flows/goldmane-server.ts";
import { type ServerTls, type Stream, startGrpcServer } from "../flows/grpc-server.ts";
import { denied } from "../flows/hubble-flows.ts";

/** What the test says to the process, and what that says when everything was sent. */
export type Torrent = {
  readonly of: "hubble" | "goldmane";
  readonly tls: ServerTls;
  readonly forMs: number;
  /** The server is killed so often, and is away for as long as a part of that. */
  readonly killEveryMs: number;
};
export type TorrentNews =
  | { readonly port: number }
  | { readonly made: number; readonly lost: number; readonly sent: number; readonly kills: number };

/**
 * A server in a process of its own that sends flows as fast as it can, frames encoded before; each flow has a number of its own in
 * its id. It sees flows also while nobody is connected, remembers them all, and is killed again and again.
 */
const dialects = {
  hubble: {
    stream: methodOf("observer.proto", "observer.Observer", "GetFlows"),
    alive: methodOf("observer.proto", "observer.Observer", "ServerStatus"),
    status: { max_flows: "65535", seen_flows: "1" },
    frame: (ms: number) => ({ flow: denied(ms, { uuid: `00000000-0000-4000-8000-${placeholder}` }) }),
    sinceMs: ({ since }: { since?: { seconds?: string; nanos?: number } }) =>
      since === undefined ? Infinity : Number(since.seconds ?? 0) * 1_000 + (since.nanos ?? 0) / 1e6,
  },
  goldmane: {
    stream: methodOf("goldmane.proto", "goldmane.Flows", "Stream"),
    alive: methodOf("goldmane.proto", "goldmane.Flows", "List"),
    status: {},
    frame: (ms: number) => {
      const second = Math.floor(ms / 1_000);
      const flow = deniedWindow(ms, { source_name: `web-${placeholder}` });
      return { id: "1", flow: { ...flow, start_time: String(second), end_time: String(second + 1) } };
    },
    sinceMs: ({ start_time_gte: since = "0" }: { start_time_gte?: string }) =>
      since === "0" ? Infinity : Number(since) * 1_000,
  },
} as const;

/** Twelve hexadecimal digits, in place of which the number goes. */
const placeholder = "ffffffffffff";
/** Of a stream: messages that wait to go out. */
const mostWaiting = 2_048;
/** Flows of one moment share a frame. */
const blockMs = 20;
type Block = {
  readonly ms: number;
  readonly frame: Buffer;
  readonly at: number;
  readonly from: number;
  to: number;
  readonly lost: number;
};

/** How far a stream is; `number` undefined: at the beginning of its block. */
type Place = { block: number; number: number | undefined };

const [torrent] = (await once(process, "message")) as [Torrent];
process.once("disconnect", () => process.exit());
const { of, tls, forMs, killEveryMs } = torrent;
const dialect = dialects[of];
const blocks: Block[] = [];
const streams = new Map<Stream, Place>();
const news = { made: 0, lost: 0, sent: 0, kills: 0 };

function handle(stream: Stream): void {
  const sinceMs = dialect.sinceMs(stream.request);
  const first = blocks.findIndex(({ ms }) => ms >= sinceMs);
  streams.set(stream, { block: first === -1 ? blocks.length : first, number: undefined });
  stream.on("cancelled", () => streams.delete(stream));
  stream.on("error", () => streams.delete(stream));
}

function open(port: number): ReturnType<typeof startGrpcServer> {
  const unary = { method: dialect.alive, answer: () => dialect.status };
  return startGrpcServer({ stream: { method: dialect.stream, handle }, unary }, { tls, port });
}

function beginBlock(): Block {
  const ms = Date.now();
  const frame = Buffer.from(dialect.stream.responseSerialize(dialect.frame(ms)));
  const lost = of === "hubble" && blocks.length % 50 === 49 ? 7 : 0;
  const one = { ms, frame, at: frame.indexOf(placeholder), from: news.made, to: news.made, lost };
  news.lost += lost;
  blocks.push(one);
  return one;
}

let { port, server } = await open(0);
process.send?.({ port } satisfies TorrentNews);
while (streams.size === 0) await wait(5);
const endsMs = Date.now() + forMs;
let block = beginBlock();
let killMs = Date.now() + killEveryMs;
let told = false;
for (;;) {
  const nowMs = Date.now();
  const isOver = nowMs >= endsMs;
  if (!isOver && nowMs - block.ms >= blockMs) block = beginBlock();
  if (!isOver && nowMs >= killMs) await killAndReturn();
  let isIdle = true;
  for (const [stream, place] of streams) if (pump(stream, place, isOver)) isIdle = false;
  if (isOver && !told) tell();
  await (isIdle ? wait(1) : new Promise<void>((resolve) => void setImmediate(resolve)));
}

/** While it is away it goes on seeing flows, as an agent does that relay has lost. */
async function killAndReturn(): Promise<void> {
  server.forceShutdown();
  streams.clear();
  news.kills += 1;
  for (let at = 0; at < 100; at += 1) {
    beginBlock().to += 20;
    news.made += 20;
    await wait(1);
  }
  ({ server, port } = await open(port));
  killMs = Date.now() + killEveryMs;
  block = beginBlock();
}

/** Sends some, old ones before it makes new ones; whether it could. */
function pump(stream: Stream, place: Place, isOver: boolean): boolean {
  let steps = 0;
  while (stream.writableLength < mostWaiting && !stream.destroyed && step(stream, place, isOver)) steps += 1;
  return steps > 0;
}

function step(stream: Stream, place: Place, isOver: boolean): boolean {
  const next = blocks[place.block];
  if (next === undefined) return false;
  if (place.number === undefined && next.lost > 0) stream.write(lostOf(next));
  place.number ??= next.from;
  const isNow = next === block;
  if (isNow && place.number === block.to && !isOver) {
    block.to += 1;
    news.made += 1;
  }
  if (place.number < next.to) {
    stream.write(frameOf(next, place.number));
    place.number += 1;
    news.sent += 1;
    return true;
  }
  if (isNow) return false;
  place.block += 1;
  place.number = undefined;
  return true;
}

/** Once whoever is connected has been sent everything. */
function tell(): void {
  const isThrough = [...streams.values()].every((place) => blocks[place.block] === block && place.number === block.to);
  if (!isThrough || streams.size === 0) return;
  told = true;
  process.send?.(news satisfies TorrentNews);
}

function frameOf({ frame, at }: Block, number: number): Buffer {
  const bytes = Buffer.from(frame);
  bytes.write(number.toString(16).padStart(12, "0"), at, "latin1");
  return bytes;
}

function lostOf({ ms, lost }: Block): object {
  const time = { seconds: String(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 };
  return {
    lost_events: { source: "HUBBLE_RING_BUFFER", num_events_lost: String(lost) },
    node_name: "kind-worker",
    time,
  };
}
