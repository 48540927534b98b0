import type { Operation } from "../policy/operation.ts";
import type { Button } from "./reply.ts";

const extend: Button = { action: "extend", label: "Extend", style: undefined };
/** What it may have left is closed at once. */
export const end: Button = { action: "end", label: "End now", style: undefined };
const permanent: Button = { action: "permanent", label: "Make permanent …", style: undefined };

/** What can be done to an allowance in force; Extend while its template allows more, Make permanent where its plan is known. */
export function allowanceButtons({ allowance, plan }: Operation): readonly Button[] {
  if (allowance === undefined || allowance.ended !== undefined) return [];
  const more = allowance.ttlSeconds < allowance.maxSeconds;
  return [...(more ? [extend] : []), end, ...(plan?.kind === "allow" ? [permanent] : [])];
}
