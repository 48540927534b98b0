import type { IncomingMessage } from "node:http";
import type { Arguments } from "./method.ts";

const maxBytes = 4 * 1024 * 1024;

/** The whole body; throws beyond 4 MiB. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) throw new Error(`request body beyond ${maxBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/**
 * Arguments of a Web API call from a form (as web-api sends them: structures as JSON text) or from JSON.
 * Undefined where JSON was promised and is none.
 */
export function readArguments(contentType: string, body: string): Arguments | undefined {
  if (contentType.startsWith("application/json")) return readObject(body);
  return new Map([...new URLSearchParams(body)].map(([name, value]) => [name, structured(name, value)]));
}

/** What was uploaded: the bytes as they are, or the first file of a form (docs: files.getUploadURLExternal takes both). */
export async function readUpload(contentType: string, body: Buffer): Promise<Buffer> {
  if (!contentType.startsWith("multipart/form-data")) return body;
  const form = await new Response(Uint8Array.from(body), { headers: { "content-type": contentType } }).formData();
  const file = [...form.values()].find((value) => typeof value !== "string");
  return file === undefined ? Buffer.alloc(0) : Buffer.from(await file.arrayBuffer());
}

/** The parsed JSON; undefined where it is none. */
export function readJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const structuredArguments = new Set(["blocks", "attachments", "files", "metadata", "view"]);

/** Text that should be JSON and is not stays text, so that the method refuses it. */
function structured(name: string, value: string): unknown {
  return structuredArguments.has(name) ? (readJson(value) ?? value) : value;
}

function readObject(body: string): Arguments | undefined {
  const value = readJson(body);
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : undefined;
}
