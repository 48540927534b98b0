import type { Operation } from "../policy/operation.ts";
import { end } from "./end.ts";
import { extend } from "./extend.ts";
import type { Pressed } from "./press.ts";
import type { Reply } from "./reply.ts";
import type { Press } from "./request.ts";
import type { Context, Services } from "./services.ts";

/** As long again as the template says where nobody says how long, or what is left of its most: nothing is asked. */
export function extendByDefault(context: Pressed, operation: Operation): Promise<Reply> {
  const byMs = defaultMs(context.services, operation);
  return extend(context, { kind: "extend", operation: operation.id, byMs, reason: "" });
}

/** The same as typing `/np end a-…`. */
export function endNow(context: Context<Press>, operation: Operation): Promise<Reply> {
  return end(context, { kind: "end", operation: operation.id, reason: "" });
}

/** Of the template as it is now; where it is gone, the time that was given at first. */
function defaultMs({ templates }: Services, { plan, allowance }: Operation): number {
  const { ttlSeconds = 0, maxSeconds = 0 } = allowance ?? {};
  const leftMs = (maxSeconds - ttlSeconds) * 1_000;
  const opened = plan?.kind === "allow" ? plan : undefined;
  const template = templates.all().find(({ name }) => name === opened?.template.name);
  const usualMs = template?.ttl.defaultMs ?? (opened?.ttlSeconds ?? ttlSeconds) * 1_000;
  // With nothing left extend says so.
  return leftMs > 0 ? Math.min(usualMs, leftMs) : usualMs;
}
