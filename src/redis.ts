import { Redis, type RedisOptions } from "ioredis";
import { parseRedisUrl, type RedisAddress, redisForms } from "./redis-address.ts";

/** A command that has no reply after so long is rejected; whether it was carried out is then unknown. */
const commandTimeoutMs = 1_000;
/** A connection that owes a reply for so long is given up: a rejected command alone does not replace a dead socket. */
const silenceMs = 2_000;
const longestPauseMs = 500;

/** What is needed besides REDIS_URL: PEM texts for TLS, and who the Sentinels know us as. */
export type RedisAccess = Partial<
  Readonly<Record<"ca" | "cert" | "key" | "sentinelUsername" | "sentinelPassword", string | undefined>>
>;

export type RedisConnectOptions = {
  /** Told of every failed connection. */
  readonly onError: (error: Error) => void;
  readonly access?: RedisAccess;
};

/**
 * The Redis client of the whole process. It connects at once and again for ever, at most 500 ms after a failure. While
 * Redis is away every command is rejected: at once, or after 1 s where the connection is half open. Nothing is kept
 * and sent later, when nobody waits for it any more. Throws where the address has no known form (parseRedisUrl).
 *
 * The defaults of ioredis 6 queue for minutes, wait up to 5 s between attempts and never give up a silent socket.
 */
export function connectRedis(url: string, { onError, access = {} }: RedisConnectOptions): Redis {
  const address = parseRedisUrl(url);
  if (address === undefined) throw new Error(`REDIS_URL has not the form ${redisForms}`);
  const options: PlainOptions = {
    ...place(address, access),
    connectTimeout: silenceMs,
    commandTimeout: commandTimeoutMs,
    socketTimeout: silenceMs,
    retryStrategy,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // After a failover the old master says so: connect anew, to where the name points now.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  };
  const redis = new Redis(options);
  redis.on("error", onError);
  reviveAtEnd(redis);
  return redis;
}

/**
 * ioredis 6.0 ends a client for good where a failover is announced while it connects: its failover detector closes the
 * connection that is being made (FailoverDetector.js), and that is taken for our wish. Only `disconnect` is our wish.
 */
function reviveAtEnd(redis: Redis): void {
  let wished = false;
  const disconnect = redis.disconnect.bind(redis);
  redis.disconnect = (reconnect = false) => {
    wished = !reconnect;
    disconnect(reconnect);
  };
  redis.on("end", () => {
    if (wished) return;
    setTimeout(() => {
      if (!wished && redis.status === "end") redis.connect().catch(() => undefined);
    }, longestPauseMs).unref();
  });
}

/** The replies keep the shapes that ioredis gave them before RESP3, which is its default. */
type PlainOptions = Omit<RedisOptions, "replyMapping">;

function retryStrategy(attempt: number): number {
  return Math.min(attempt * 50, longestPauseMs);
}

function place(address: RedisAddress, access: RedisAccess): PlainOptions {
  const { hosts, tls, username, password, database: db, sentinelName } = address;
  const credentials = { ...(username && { username }), ...(password && { password }), db };
  const { ca, cert, key } = access;
  const secure = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  if (sentinelName === undefined) return { ...credentials, ...hosts[0], ...(tls && { tls: secure }) };
  const { sentinelUsername, sentinelPassword } = access;
  return {
    ...credentials,
    sentinels: [...hosts],
    name: sentinelName,
    // A Sentinel that lags names the old master: only a server that says it is one will do.
    role: "master",
    ...(sentinelUsername && { sentinelUsername }),
    ...(sentinelPassword && { sentinelPassword }),
    ...(tls && { tls: secure, sentinelTLS: secure, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: commandTimeoutMs,
    sentinelRetryStrategy: retryStrategy,
    // The defaults look for a lost Sentinel once a minute, and notice a failover only when the old master is gone.
    sentinelReconnectStrategy: (attempt) => Math.min(attempt * 200, 5_000),
    failoverDetector: true,
  };
}

/** Waits until the client can be used, at most so long; whether it can. A command before that is rejected. */
export function untilReady(redis: Redis, withinMs: number): Promise<boolean> {
  if (redis.status === "ready") return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (ready: boolean): void => {
      clearTimeout(timer);
      redis.off("ready", onReady);
      resolve(ready);
    };
    const onReady = (): void => settle(true);
    const timer = setTimeout(settle, withinMs, false);
    redis.once("ready", onReady);
  });
}
