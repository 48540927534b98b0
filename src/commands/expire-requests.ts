import { isExpired } from "../policy/approval.ts";
import type { Operation } from "../policy/operation.ts";
import { expiry } from "./approve.ts";
import type { Outlet } from "./desk.ts";
import { endRequest } from "./end-request.ts";
import { LostRace, type Services } from "./services.ts";

/**
 * One sweep over what waits for other people: where it has waited too long it ends, and its card says so. Of several
 * replicas one ends it. One that cannot be ended holds up no other, and is metered. Returns how many ended.
 */
export async function expireRequests(services: Services, outletFor: (operation: Operation) => Outlet): Promise<number> {
  const now = services.now();
  const live = await services.operations.list({ live: true });
  let ended = 0;
  for (const operation of live.filter((one) => one.state === "awaiting-approval" && isExpired(one, now))) {
    const context = { services, outlet: outletFor(operation), request: {} };
    try {
      await endRequest(context, operation, expiry(operation, now));
      ended += 1;
    } catch (error) {
      // Somebody decided at that very moment.
      if (error instanceof LostRace) continue;
      services.meter({ kind: "error", where: "expire approvals", message: `${operation.id}: ${String(error)}` });
    }
  }
  return ended;
}
