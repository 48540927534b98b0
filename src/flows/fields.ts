/**
 * Fields of what outsiders send, read one by one and by hand: lines come by the ten thousand a second, and each field may
 * be absent or of any type. Nothing here throws, and nothing returned is longer or more than it may be.
 */

/** Anything as an object with these fields, each of which may be anything; without any where it is no object. */
export function fieldsOf<Names extends string>(value: unknown): Fields<Names> {
  return typeof value === "object" && value !== null ? value : nothing;
}

export type Fields<Names extends string> = { readonly [Name in Names]?: unknown };

const nothing = {};

/** A name, cut where it is longer than Kubernetes' own may be (RFC 1123: 253 characters); undefined where it is no text, or empty. */
export function nameIn(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  return value.length > longestName ? value.slice(0, longestName) : value;
}

const longestName = 253;

/** The first of a list, at most `most`; none where it is no list. */
export function listIn(value: unknown, most: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

/** A whole number from 0, as a number or in decimal digits (how JSON has protobuf's 64 bits); else undefined. */
export function wholeIn(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,20}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= 0 && Number.isInteger(number) ? number : undefined;
}

/** How often, as wholeIn, but at most a thousand million: what says more is an error or an attack. */
export function countIn(value: unknown): number | undefined {
  const count = wholeIn(value);
  return count === undefined ? undefined : Math.min(count, mostAtOnce);
}

const mostAtOnce = 1_000_000_000;

/** 1 to 65535. 0 is no port: sources write it for protocols that have none. */
export function portIn(value: unknown): number | undefined {
  const port = wholeIn(value);
  return port !== undefined && port > 0 && port < 65_536 ? port : undefined;
}

/** A moment in RFC 3339, of any precision, as whole milliseconds since the epoch. */
export function timeIn(value: unknown): number | undefined {
  return typeof value === "string" && value.length <= longestTime ? momentOf(Date.parse(value)) : undefined;
}

/** With nanoseconds and an offset it is 35 characters. */
const longestTime = 40;

/** The same of a number of milliseconds; undefined where it is none of ours (before 2000, or after 2200). */
export function momentOf(ms: number): number | undefined {
  return ms >= earliest && ms < latest ? Math.trunc(ms) : undefined;
}

const earliest = Date.UTC(2000, 0);
const latest = Date.UTC(2200, 0);
