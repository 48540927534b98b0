import { type Logger as BoltLogger, LogLevel } from "@slack/bolt";
import type { Logger } from "pino";

/** The part of a pino logger that this room uses. */
export type Log = Pick<Logger, "info" | "warn" | "error">;

/**
 * Bolt's logger onto ours. Its debug output, which holds whole payloads, is dropped and cannot be switched on; tokens
 * and response_urls are blanked out of the rest.
 */
export function boltLogger(log: Log): BoltLogger {
  return {
    debug: () => undefined,
    info: (...parts) => log.info({ from: "bolt" }, message(parts)),
    warn: (...parts) => log.warn({ from: "bolt" }, message(parts)),
    error: (...parts) => log.error({ from: "bolt" }, message(parts)),
    setLevel: () => undefined,
    getLevel: () => LogLevel.INFO,
    setName: () => undefined,
  };
}

/** What may be logged of an error from Slack, Bolt or fetch: its text without secrets. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}${cause(error)}` : String(error);
  return withoutSecrets(text);
}

function message(parts: readonly unknown[]): string {
  return parts.map(errorText).join(" ");
}

function cause(error: Error): string {
  return error.cause instanceof Error ? ` (${error.cause.message})` : "";
}

/** Slack tokens (`xoxb-…`, `xapp-…`), the paths of response_urls, the ticket of a socket's address. */
function withoutSecrets(text: string): string {
  return text
    .replace(/\b(xox[a-z]|xapp|xwfp)-[\w-]+/g, "$1-…")
    .replace(/\b(https?|wss?):\/\/([^/\s]+)\/\S*/g, "$1://$2/…");
}
