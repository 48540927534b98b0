import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/**
 * `genuine`: Slack signed it just now. `unsigned`: it bears no signature of the form that Slack uses. `forged`: the
 * signature is not of these bytes. `stale` and `future`: Slack signed it, but the time is not now.
 */
export type SignatureVerdict = "genuine" | "unsigned" | "forged" | "stale" | "future";

const oldestMs = 300_000;
/** Slack's clock and ours may differ a little; Bolt has no such limit, and would take a call of next year. */
const newestMs = 60_000;

/**
 * Whether Slack signed these bytes: `v0=` and the HMAC-SHA256 of `v0:<timestamp>:<body>` in hex, at most five minutes
 * old (docs.slack.dev, verifying requests). The signature is judged first, over the bytes as they came, in constant time.
 */
export function judgeSignature(
  headers: IncomingHttpHeaders,
  body: Buffer,
  { secret, now }: { readonly secret: string; readonly now: number },
): SignatureVerdict {
  const timestamp = headers["x-slack-request-timestamp"];
  const given = signatureOf(headers);
  if (given === undefined || typeof timestamp !== "string" || !/^\d{1,12}$/.test(timestamp)) return "unsigned";
  const expected = createHmac("sha256", secret).update(`v0:${timestamp}:`).update(body).digest();
  if (!timingSafeEqual(Buffer.from(given.slice("v0=".length), "hex"), expected)) return "forged";
  const ageMs = now - Number(timestamp) * 1_000;
  if (ageMs > oldestMs) return "stale";
  return ageMs < -newestMs ? "future" : "genuine";
}

/** The signature as it came; undefined where there is none of the form that Slack uses. */
export function signatureOf(headers: IncomingHttpHeaders): string | undefined {
  const given = headers["x-slack-signature"];
  return typeof given === "string" && /^v0=[0-9a-f]{64}$/.test(given) ? given : undefined;
}
