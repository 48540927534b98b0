import { Redis } from "ioredis";

/** A command that has no reply after so long is rejected; whether it was carried out is then unknown. */
const commandTimeoutMs = 1_000;
/** A connection that owes a reply for so long is given up: a rejected command alone does not replace a dead socket. */
const silenceMs = 2_000;
const longestPauseMs = 500;

/**
 * The Redis client of the whole process. It connects at once and again for ever, at most 500 ms after a failure. While
 * Redis is away every command is rejected: at once, or after 1 s where the connection is half open. Nothing is kept
 * and sent later, when nobody waits for it any more. `onError` is told of every failed connection.
 *
 * The defaults of ioredis 6 queue for minutes, wait up to 5 s between attempts and never give up a silent socket.
 */
export function connectRedis(url: string, { onError }: { readonly onError: (error: Error) => void }): Redis {
  const redis = new Redis(url, {
    connectTimeout: silenceMs,
    commandTimeout: commandTimeoutMs,
    socketTimeout: silenceMs,
    retryStrategy: (attempt) => Math.min(attempt * 50, longestPauseMs),
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // After a failover the old master says so: connect anew, to where the name points now.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  });
  redis.on("error", onError);
  return redis;
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
