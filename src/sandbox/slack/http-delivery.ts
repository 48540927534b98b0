import { createHmac } from "node:crypto";
import type { Acknowledgement } from "./acknowledgements.ts";
import { readJson } from "./body.ts";
import type { Envelope } from "./socket.ts";

/** A request as it goes to the app's request URL; sent again, it is the same bytes. */
export type SignedRequest = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** What the app's side answered; `status` 0 where nothing came. */
export type HttpAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
};

/** What is to be wrong about a request. */
export type Wrong = {
  /** Added to the timestamp, milliseconds: negative for a stale one. */
  readonly skewMs?: number;
  /** Signs with this instead of the app's. */
  readonly secret?: string;
  /** Headers that take the place of the right ones; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
};

/** HTTP mode: every payload as a signed POST to the app's request URL. */
export type HttpDelivery = {
  /** Sends everything there from now on; undefined: by Socket Mode. */
  use(url: string | undefined): void;
  url(): string | undefined;
  deliver(envelope: Envelope): Promise<Acknowledgement>;
  /** The request that Slack would send for it now, or one with something wrong. */
  sign(envelope: Envelope, wrong?: Wrong): SignedRequest;
  /** Sends bytes as they are, to `url` where the one in use is another. */
  post(request: SignedRequest, url?: string): Promise<HttpAnswer>;
  /** Every request so far, oldest first. */
  readonly sent: readonly SignedRequest[];
};

export type HttpDeliveryOptions = {
  readonly signingSecret: string;
  readonly now: () => number;
  /** How long the app may take to answer, real time. */
  readonly limitMs: number;
};

const formType = "application/x-www-form-urlencoded";

export function createHttpDelivery(options: HttpDeliveryOptions): HttpDelivery {
  const sent: SignedRequest[] = [];
  let inUse: string | undefined;
  const sign: HttpDelivery["sign"] = (envelope, wrong) => signed(envelope, options, wrong);
  const post = async (request: SignedRequest, url = inUse): Promise<HttpAnswer> => {
    if (url === undefined) throw new Error("the sandbox Slack has no request URL: use(url) first");
    sent.push(request);
    const signal = AbortSignal.timeout(options.limitMs);
    const response = await fetch(url, { method: "POST", headers: request.headers, body: request.body, signal });
    const contentType = response.headers.get("content-type") ?? "";
    return { status: response.status, contentType, body: await response.text() };
  };
  return {
    use: (url) => {
      inUse = url;
    },
    url: () => inUse,
    deliver: (envelope) => acknowledged(() => post(sign(envelope))),
    sign,
    post: (request, url) => post(request, url).catch(() => ({ status: 0, contentType: "", body: "" })),
    sent,
  };
}

/** `v0=HMAC-SHA256(secret, "v0:timestamp:body")` over the bytes that are sent (docs.slack.dev, verifying requests). */
function signed(envelope: Envelope, { signingSecret, now }: HttpDeliveryOptions, wrong: Wrong = {}): SignedRequest {
  const { type, body } = encoded(envelope);
  const timestamp = String(Math.floor((now() + (wrong.skewMs ?? 0)) / 1_000));
  const digest = createHmac("sha256", wrong.secret ?? signingSecret)
    .update(`v0:${timestamp}:${body}`)
    .digest("hex");
  const headers = {
    "content-type": type,
    "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
    "x-slack-request-timestamp": timestamp,
    "x-slack-signature": `v0=${digest}`,
    ...envelope.headers,
    ...wrong.headers,
  };
  const present = Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return { headers: Object.fromEntries(present), body };
}

/** A slash command as a form, an event as JSON, everything else as JSON in the form's field `payload`. */
function encoded({ type, payload }: Envelope): { readonly type: string; readonly body: string } {
  if (type === "events_api") return { type: "application/json", body: JSON.stringify(payload) };
  const fields = type === "slash_commands" ? payload : { payload: JSON.stringify(payload) };
  const form = new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return { type: formType, body: form.toString() };
}

async function acknowledged(post: () => Promise<HttpAnswer>): Promise<Acknowledgement> {
  const sentAt = performance.now();
  try {
    const { status, contentType, body } = await post();
    if (status !== 200) return { kind: "refused", status, body };
    const payload = contentType.startsWith("application/json") ? readJson(body) : textPayload(body);
    return { kind: "acknowledged", afterMs: performance.now() - sentAt, payload };
  } catch (error) {
    return error instanceof DOMException && error.name === "TimeoutError"
      ? { kind: "timed-out" }
      : { kind: "no-connection" };
  }
}

function textPayload(body: string): unknown {
  return body === "" ? undefined : { text: body };
}
