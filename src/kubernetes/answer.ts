import { type FailureKind, KubernetesError, type StatusDetails } from "./failure.ts";

/** An HTTP answer, read to its end. */
export type Answer = {
  readonly code: number;
  readonly contentType: string;
  readonly retryAfter: string;
  readonly text: string;
};

type Status = { readonly message?: string; readonly reason?: string; readonly details?: StatusDetails };

/** The JSON of a successful answer. Throws KubernetesError for a refusal, and for what no API server would answer. */
export function jsonOf(answer: Answer, call: string): unknown {
  const body = parse(answer);
  if (answer.code >= 200 && answer.code < 300 && body !== undefined) return body;
  throw refusal(answer, body, call);
}

function parse(answer: Answer): unknown {
  if (!answer.contentType.includes("json")) return undefined;
  try {
    return JSON.parse(answer.text);
  } catch {
    return undefined;
  }
}

function refusal(answer: Answer, body: unknown, call: string): KubernetesError {
  const { code } = answer;
  const status = statusOf(body);
  const isForeign = code < 400 || (status === undefined && answer.contentType.includes("html"));
  const kind = isForeign ? "not-kubernetes" : kindOf(code);
  return new KubernetesError({
    kind,
    code,
    message: messageOf(kind, code, status, call),
    reason: status?.reason ?? "",
    details: status?.details ?? {},
    sent: kind === "server-error" || kind === "not-kubernetes",
    retryAfterMs: retryAfterMs(answer.retryAfter),
  });
}

/** The error of an `ERROR` event in a watch; its object is a Status. */
export function failureOfStatus(object: unknown, call: string): KubernetesError {
  const status = statusOf(object);
  const code = (object as { code?: number } | undefined)?.code ?? 500;
  const kind = kindOf(code);
  return new KubernetesError({
    kind,
    code,
    message: messageOf(kind, code, status, call),
    reason: status?.reason ?? "",
    details: status?.details ?? {},
    retryAfterMs: undefined,
  });
}

function statusOf(body: unknown): Status | undefined {
  if (typeof body !== "object" || body === null || !("kind" in body) || body.kind !== "Status") return undefined;
  return body as Status;
}

const kinds: ReadonlyMap<number, FailureKind> = new Map([
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "not-found"],
  [409, "conflict"],
  [410, "expired"],
  [429, "throttled"],
]);

function kindOf(code: number): FailureKind {
  return kinds.get(code) ?? (code >= 500 ? "server-error" : "refused-by-server");
}

const longestMessage = 500;

function messageOf(kind: FailureKind, code: number, status: Status | undefined, call: string): string {
  const said = status?.message?.slice(0, longestMessage);
  if (kind === "unauthorized") return `the Kubernetes API does not accept these credentials (401, ${call})`;
  if (kind === "not-kubernetes") return `the answer to ${call} does not come from a Kubernetes API (HTTP ${code})`;
  if (said === undefined || said === "") return `the Kubernetes API answered ${code} to ${call}`;
  return kind === "forbidden" ? said : `${said} (${code}, ${call})`;
}

/** Retry-After is seconds, or a date (RFC 9110 §10.2.3); the API server sends seconds. */
function retryAfterMs(header: string): number | undefined {
  return /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined;
}
