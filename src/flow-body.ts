import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip, inflate as inflateZlib, zstdDecompress } from "node:zlib";

/** Of a body as it is posted. */
export const mostPostedBytes = 8 * 1_048_576;
/** Of what it is unpacked. */
const mostBytes = 16 * 1_048_576;

export type Inflated = string | Unpackable;
export type Unpackable = { readonly kind: "too-large" | "unknown-packing" | "broken" };

type Unpack = (bytes: Buffer, limit: { readonly maxOutputLength: number }) => Promise<Buffer>;

/** By content-encoding; `deflate` is what HTTP calls zlib (RFC 9110 §8.4.1.2). */
const packings: Readonly<Record<string, Unpack>> = {
  identity: async (bytes) => bytes,
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflateZlib),
  zstd: promisify(zstdDecompress),
};

/** A body as text, whatever its content-encoding; no more of it is ever unpacked than may be. */
export async function inflate(request: IncomingMessage, bytes: Buffer): Promise<Inflated> {
  const name = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  const unpack = Object.hasOwn(packings, name) ? packings[name] : undefined;
  if (unpack === undefined) return { kind: "unknown-packing" };
  return unpack(bytes, { maxOutputLength: mostBytes }).then(
    (unpacked) => unpacked.toString("utf8"),
    (error: NodeJS.ErrnoException) => ({ kind: error.code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : "broken" }),
  );
}
