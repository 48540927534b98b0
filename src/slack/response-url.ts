import type { Dispatcher } from "undici";
import { fetchBy } from "./calls.ts";
import type { Message } from "./render.ts";

/** Slack allows five uses within thirty minutes (docs: handling user interaction). */
const mostUses = 5;
const lifetimeMs = 30 * 60_000;
const timeoutMs = 5_000;

/** The way back to one command or press, for the caller alone. */
export type ResponseUrl = {
  /** Uses that are left; 0 once it is too old. */
  left(): number;
  /**
   * Sends a message that only the caller sees; with `replace` in place of the ephemeral message whose button was
   * pressed. Throws where Slack does not take it; counts as a use all the same.
   */
  send(message: Message, replace: boolean): Promise<void>;
};

export type ResponseUrlOptions = {
  readonly apiUrl: string;
  readonly now: () => number;
  /** When the command or press arrived, milliseconds since the epoch. */
  readonly arrivedAt: number;
  readonly dispatcher?: Dispatcher | undefined;
};

/**
 * Undefined where the address is not one of Slack's: it comes with the payload, and what is sent there tells about the
 * cluster. Allowed: https to hooks.slack.com or to `hooks.` of the API's host, and the API's own origin (a sandbox).
 */
export function responseUrl(url: string | undefined, options: ResponseUrlOptions): ResponseUrl | undefined {
  if (url === undefined || !isSlacks(url, options.apiUrl)) return undefined;
  let used = 0;
  return {
    left: () => (options.now() - options.arrivedAt < lifetimeMs ? mostUses - used : 0),
    async send(message, replace) {
      used += 1;
      const response = await fetchBy(options.dispatcher)(url, {
        method: "POST",
        headers: { "content-type": "application/json; charset=utf-8" },
        body: JSON.stringify({ ...message, response_type: "ephemeral", replace_original: replace }),
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      const answer = await response.text();
      if (!response.ok || /"ok":\s*false/.test(answer)) {
        throw new Error(`response_url answered ${response.status} ${answer.slice(0, 100)}`);
      }
    },
  };
}

function isSlacks(address: string, apiUrl: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  const api = new URL(apiUrl);
  if (url.username !== "" || url.password !== "") return false;
  if (url.origin === api.origin) return true;
  return url.protocol === "https:" && ["hooks.slack.com", `hooks.${api.host}`].includes(url.host);
}
