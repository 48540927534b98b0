import { isUnanswered } from "../kubernetes/failure.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import type { UndoWay } from "../policy/undo-plan.ts";
import { redrawUndo } from "./draw-undo.ts";
import type { Reply } from "./reply.ts";
import type { Press } from "./request.ts";
import { refuseUndo } from "./rollback.ts";
import { type Context, store } from "./services.ts";
import { showCard } from "./show-card.ts";
import { planStays } from "./unanswered.ts";

/** What a person chose where a policy was changed again: the plan is drawn anew that way, and shown; nothing is written. */
export function chooseWay(way: UndoWay): (context: Context<Press>, operation: Operation) => Promise<Reply | Refusal> {
  return async (context, operation) => {
    const { services, request, outlet } = context;
    const { plan } = operation;
    if (plan?.kind !== "undo") return refusal("there is nothing to choose", "Look at its card.");
    const drawn = await redrawUndo(services, operation, { ...plan, way }).catch((error: unknown) => {
      if (isUnanswered(error)) return error;
      throw error;
    });
    if (drawn instanceof Error) {
      const reply = planStays(drawn);
      await outlet.show(reply, undefined);
      return reply;
    }
    if (isRefusal(drawn)) return drawn;
    const { principal } = request;
    const no = refuseUndo(services, { principal, operation, plan: drawn });
    if (no !== undefined) return no;
    const steps = [...operation.steps, { step: `chose ${way}`, at: services.now() }];
    const stored = await store(services, { ...operation, plan: drawn, target: drawn.target, steps });
    return showCard(context, stored);
  };
}
