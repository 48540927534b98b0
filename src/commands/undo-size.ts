import { canonicalJson } from "../policy/canonical.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import type { UndoWrite } from "../policy/undo-plan.ts";

/** One policy of the API server's largest size, 1.5 MiB, from and to, fits; a plan is stored whole, and read by people. */
const mostBytes = 4_000_000;

/** Why these are too much for one plan; undefined where they are not. */
export function refuseLarge(writes: readonly UndoWrite[]): Refusal | undefined {
  const bytes = writes.reduce((sum, { from, to }) => sum + sizeOf(from) + sizeOf(to), 0);
  if (bytes <= mostBytes) return undefined;
  const size = (bytes / 1_000_000).toFixed(1);
  return refusal(
    `the policies come to ${size} MB as they are and as they would be, and ${mostBytes / 1_000_000} MB is the most for one plan`,
    "Undo them in parts: name a namespace, a shorter time or single changes of /np history.",
  );
}

function sizeOf(image: UndoWrite["to"]): number {
  return image === undefined ? 0 : Buffer.byteLength(canonicalJson(image));
}
