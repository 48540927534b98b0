import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { inflate, mostPostedBytes } from "./flow-body.ts";
import { createIntake, type Taken } from "./flow-intake.ts";
import type { FlowSourceState } from "./flows/flow-source.ts";
import type { FlowSink } from "./flows/sink.ts";
import type { Answerer } from "./probes.ts";
import { readBytes } from "./slack/http-body.ts";

export type FlowReceiverOptions = {
  /** Of each cluster whose flows are posted: what those who post present. An empty one lets nobody in. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly sink: FlowSink;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of what was refused and of what could not be read, at most once a minute for each cluster. */
  readonly onProblem: (error: Error) => void;
};

export type FlowReceiver = {
  /** Answers `POST /flows/CLUSTER`, and says whether it was that. */
  readonly answer: Answerer;
  /** One for each cluster, by what came. */
  states(): readonly FlowSourceState[];
};

/** Bodies that are being received, or wait to be read, in all. */
const mostWaitingBytes = 4 * mostPostedBytes;
const retryAfterS = 2;

const path = /^\/flows\/([^/?]+)$/;

/**
 * Where agents post what they read of a flow log: fluent-bit's `http` output, vector's `http` sink, Goldmane's push, curl. A body
 * is taken as a whole or not at all, so whoever is told 429 sends it again and nothing counts twice; a line that cannot
 * be read is counted, and keeps no other from being taken.
 */
export function createFlowReceiver(options: FlowReceiverOptions): FlowReceiver {
  const expected = new Map(
    [...options.tokens].filter(([, token]) => token !== "").map(([of, token]) => [of, digest(token)]),
  );
  const intake = createIntake({ ...options, clusters: [...options.tokens.keys()] });
  let waitingBytes = 0;

  async function receive(request: IncomingMessage, cluster: string): Promise<Answer> {
    if (request.method !== "POST") return { code: 405, headers: { allow: "POST" }, words: "POST flows here." };
    const isKnown = timingSafeEqual(digest(secretOf(request.headers.authorization)), expected.get(cluster) ?? nobodys);
    if (!isKnown) {
      intake.problem(expected.has(cluster) ? cluster : "", "somebody posted flows without the token of a cluster");
      return { code: 401, headers: { "www-authenticate": "Bearer" } };
    }
    if (/msgpack|protobuf/i.test(request.headers["content-type"] ?? "")) return notThat;
    const bytes = Number(request.headers["content-length"] ?? mostPostedBytes);
    if (bytes > mostPostedBytes) return tooLarge;
    if (waitingBytes + bytes > mostWaitingBytes) return full;
    waitingBytes += bytes;
    return take(request, cluster).finally(() => {
      waitingBytes -= bytes;
    });
  }

  async function take(request: IncomingMessage, cluster: string): Promise<Answer> {
    const body = await readBytes(request, mostPostedBytes);
    return body === undefined ? tooLarge : answerTo(await intake.take(cluster, () => inflate(request, body)));
  }

  return {
    answer(request, response) {
      const cluster = path.exec(request.url?.split("?")[0] ?? "")?.[1];
      if (cluster === undefined) return false;
      receive(request, cluster).then(
        (answer) => send(response, answer),
        (error: Error) => {
          intake.problem(cluster, `flows that were posted did not come through: ${error.message}`);
          send(response, { code: 500 });
        },
      );
      return true;
    },
    states: () => intake.states(),
  };
}

type Answer = {
  readonly code: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly words?: string;
  readonly body?: object;
};

const full: Answer = { code: 429, headers: { "retry-after": String(retryAfterS) }, words: "Full. Send it again." };
const tooLarge: Answer = {
  code: 413,
  words: "Too large: post at most 8 MiB, and 16 MiB unpacked. Make batches smaller.",
};
const notThat: Answer = {
  code: 415,
  words: "Post JSON, one object a line or an array of them: with fluent-bit set `Format json_lines`.",
};
const notThatPacking: Answer = { code: 415, words: "Post it as it is, or packed by gzip, deflate or zstd." };
const cutOff: Answer = {
  code: 400,
  words: "It cannot be unpacked: it is not what content-encoding says, or was cut off.",
};

function answerTo(taken: Taken): Answer {
  if (taken === "full") return full;
  if (taken === "too-large") return tooLarge;
  if (taken === "unknown-packing") return notThatPacking;
  return taken === "broken" ? cutOff : { code: 200, body: taken };
}

/** No cluster's: what nobody knows. */
const nobodys = digest(crypto.randomUUID());

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** A bearer token, or the password of basic authentication, which is all that some agents can present. */
function secretOf(authorization = ""): string {
  const [, scheme = "", value = ""] = /^(\S+) +(\S+) *$/.exec(authorization) ?? [];
  if (/^bearer$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return "";
  const pair = Buffer.from(value, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1);
}

/** What is left of a body that was not read goes with the connection. */
function send(response: ServerResponse, { code, headers = {}, words, body = {} }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const close = code === 200 ? {} : { connection: "close" };
  response.writeHead(code, { "content-type": "application/json", ...close, ...headers });
  response.end(`${JSON.stringify(words === undefined ? body : { error: words })}\n`);
}
