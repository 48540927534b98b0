import type { IncomingMessage } from "node:http";

/** The bytes of a request; undefined where there are more than `limit`, and then the rest is not waited for. */
export async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > limit) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  // Left early it must stay open, or the answer could not be sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("a request's body came as text");
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/**
 * What Slack put into a body: a form's fields, the JSON in its field `payload`, or JSON alone. Undefined where it is
 * none of these. Parameters after the content type (`; charset=utf-8`) do not matter; Bolt's own receiver refuses them.
 */
export function parseBody(contentType: string | undefined, body: Buffer): Record<string, unknown> | undefined {
  const type = (contentType ?? "").split(";")[0]?.trim().toLowerCase();
  if (type === "application/json") return jsonObject(body.toString("utf8"));
  if (type !== "application/x-www-form-urlencoded") return undefined;
  const form = new URLSearchParams(body.toString("utf8"));
  const payload = form.get("payload");
  return payload === null ? Object.fromEntries(form) : jsonObject(payload);
}

/** Slack asks so, unsigned, whether the certificate holds; whatever else such a body says is never looked at. */
export function isCertificateCheck(body: Buffer): boolean {
  return new URLSearchParams(body.toString("latin1")).get("ssl_check") === "1";
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
