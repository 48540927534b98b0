import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createCutter, wordsOf } from "./resp.ts";
import { type Call, createTap, type Fault, type Tap, type TapParts } from "./tap.ts";

/** A proxy in front of a redis-server: every command is looked at, and each answer belongs to its command. */
export type RedisProxy = Tap & {
  readonly url: string;
  /** Ends every connection with a reset. */
  cut(): void;
  /** Turns new connections away, and ends those that are there. */
  refuse(refuses: boolean): void;
  /** Passes nothing on, either way, and leaves connections open: a network that swallows everything. */
  blackhole(swallows: boolean): void;
  /** Passes nothing on for connections that are there, for ever, and leaves them open; new ones work: half-open. */
  strand(): void;
  close(): Promise<void>;
};

/** In front of the server on that port of 127.0.0.1. */
export async function startRedisProxy(port: number): Promise<RedisProxy> {
  const tap = createTap();
  const sockets = new Set<Socket>();
  let refuses = false;
  let gate = createGate();
  const cut = (): void => [...sockets].forEach((socket) => socket.resetAndDestroy());
  const server = createServer((client) => {
    if (refuses) return void client.resetAndDestroy();
    const upstream = connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
    }
    join({ client, upstream, tap, gate });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    ...tap,
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    refuse: (next) => {
      refuses = next;
      if (next) cut();
    },
    blackhole: (swallows) => gate.shut(swallows),
    strand() {
      gate.shut(true);
      gate = createGate();
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      cut();
      await closed;
    },
  };
}

type Gate = { readonly shut: (shut: boolean) => void; readonly passed: () => Promise<void> };

function createGate(): Gate {
  let opened = Promise.withResolvers<void>();
  opened.resolve();
  return {
    shut: (shut) => {
      opened.resolve();
      if (shut) opened = Promise.withResolvers<void>();
    },
    passed: () => opened.promise,
  };
}

type Pair = { readonly client: Socket; readonly upstream: Socket; readonly tap: TapParts; readonly gate: Gate };
type Sent = { readonly call: Call; readonly fault: Fault };

function join(pair: Pair): void {
  const { client, upstream } = pair;
  const sent: Sent[] = [];
  const end = (): void => [client, upstream].forEach((socket) => socket.destroy());
  for (const socket of [client, upstream]) socket.once("close", end);
  Promise.race([commands(pair, sent), answers(pair, sent)]).then(end, end);
}

/** One at a time and in order, as the server takes them. */
async function commands({ client, upstream, tap, gate }: Pair, sent: Sent[]): Promise<void> {
  const cut = createCutter();
  for await (const bytes of client as AsyncIterable<Buffer>) {
    for (const command of cut(bytes)) {
      const words = wordsOf(command) ?? [];
      const verb = (words[0] ?? "").toUpperCase();
      const call = { verb, what: words.slice(0, 3).join(" ").slice(0, 200), text: words.join(" ") };
      const met = await tap.meet(call, !reads.has(verb));
      await gate.passed();
      if (met.fault.instead === undefined) {
        sent.push(met);
        upstream.write(command);
        continue;
      }
      tap.ended(met.call, "not sent");
      if (met.fault.instead !== "hang") return void client.resetAndDestroy();
      await new Promise(() => undefined);
    }
  }
}

async function answers({ client, upstream, tap, gate }: Pair, sent: Sent[]): Promise<void> {
  const cut = createCutter();
  for await (const bytes of upstream as AsyncIterable<Buffer>) {
    for (const answer of cut(bytes)) {
      await gate.passed();
      const isPush = answer[0] === ">".charCodeAt(0);
      const next = isPush ? undefined : sent.shift();
      await next?.fault.after?.();
      if (next !== undefined) tap.ended(next.call, next.fault.answer === undefined ? 0 : "answer lost");
      if (next?.fault.answer === "reset") return void client.resetAndDestroy();
      if (next?.fault.answer !== "hang") client.write(answer);
    }
  }
}

/** What changes nothing; a script counts as a write, whatever is in it. */
const reads = new Set(
  [
    "AUTH CLIENT COMMAND CONFIG ECHO EXISTS GET HELLO HEXISTS HGET HGETALL HLEN HMGET INFO MEMORY MGET PING PTTL QUIT",
    "ROLE SELECT SMEMBERS STRLEN TIME TTL TYPE XINFO XLEN XRANGE XREVRANGE ZCARD ZRANGE ZRANGEBYLEX ZRANGEBYSCORE",
    "ZREVRANGE ZSCORE",
  ].flatMap((line) => line.split(" ")),
);
