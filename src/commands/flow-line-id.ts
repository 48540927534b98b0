import { createHash } from "node:crypto";
import { type FlowKey, textOf } from "../flows/flow-key.ts";

/** The same key has the same id, whoever is shown its line. It is opaque and no secret: 50 bits of `f-…`. */
export function flowLineId(key: FlowKey): string {
  const digest = createHash("sha256").update(textOf(key)).digest();
  const letters = [...digest.subarray(0, 10)].map((byte) => "0123456789abcdefghjkmnpqrstvwxyz"[byte % 32]);
  return `f-${letters.join("")}`;
}

/** Whether the text has the form of a line's id. */
export function isFlowLineId(text: string): boolean {
  return /^f-[0-9a-hjkmnp-tv-z]{10}$/.test(text);
}
