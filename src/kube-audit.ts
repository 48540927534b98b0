import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Attribution } from "./history/history.ts";
import { attributionsOf } from "./kube-audit-events.ts";
import { readBytes } from "./slack/http-body.ts";

export type KubeAuditOptions = {
  /** The bearer token that API servers present. */
  readonly token: string;
  /** Names of the clusters that are configured. */
  readonly clusters: ReadonlySet<string>;
  readonly attribute: (attribution: Attribution) => Promise<void>;
  /** Told of what could not be stored; the API server sends it again. */
  readonly onProblem: (error: unknown) => void;
};

/** The server's batches are of 400 events by default, with two copies of an object each. */
const mostBytes = 16 * 1_048_576;

/** Each may hold a body of `mostBytes` in memory. */
const mostAtOnce = 2;

const path = /^\/kubernetes-audit\/([^/?]+)$/;

/**
 * Where API servers post their audit events (`--audit-webhook-config-file`): `POST /kubernetes-audit/CLUSTER`. Answers what is
 * for it, and says whether it was. 503 makes the API server send a batch again.
 */
export function createKubeAudit(options: KubeAuditOptions) {
  const expected = digest(`Bearer ${options.token}`);
  let underWay = 0;

  async function receive(request: IncomingMessage, response: ServerResponse, cluster: string): Promise<void> {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), expected)) {
      options.onProblem(new Error("somebody posted audit events of Kubernetes without the token"));
      return answer(response, 401);
    }
    if (!options.clusters.has(cluster)) {
      options.onProblem(new Error("audit events of Kubernetes came for a cluster that is not configured"));
      return answer(response, 404);
    }
    if (underWay >= mostAtOnce) return answer(response, 503);
    underWay += 1;
    try {
      answer(response, await take(request, cluster, options));
    } finally {
      underWay -= 1;
    }
  }

  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const cluster = path.exec(request.url?.split("?")[0] ?? "")?.[1];
    if (request.method !== "POST" || cluster === undefined) return false;
    receive(request, response, cluster).catch((error: unknown) => {
      options.onProblem(error);
      if (!response.headersSent) answer(response, 503);
    });
    return true;
  };
}

async function take(request: IncomingMessage, cluster: string, options: KubeAuditOptions): Promise<number> {
  const bytes = await readBytes(request, mostBytes);
  if (bytes === undefined) return 413;
  const attributions = attributionsOf(cluster, jsonOf(bytes));
  if (attributions === undefined) return 400;
  for (const attribution of attributions) await options.attribute(attribution);
  return 200;
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** What is left of a body that was not read goes with the connection. */
function answer(response: ServerResponse, code: number): void {
  response.writeHead(code, { "content-type": "application/json", ...(code === 200 ? {} : { connection: "close" }) });
  response.end("{}\n");
}
