import { isRefusal, type Refusal } from "../policy/guard.ts";
import type { AllowanceEnd, Operation, OperationState } from "../policy/operation.ts";
import type { Outlet } from "./desk.ts";
import type { Reply } from "./reply.ts";
import type { Press } from "./request.ts";
import type { Services } from "./services.ts";

/** What a span says: ids, names of places and words of closed sets; never what somebody typed or what a server answered. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Work at an operation by one replica, as its trace has it. Times in milliseconds since the epoch. */
export type Phase = {
  /** The operation's id, from which the trace's id follows: so all replicas write the same trace. */
  readonly operation: string;
  readonly name: string;
  readonly attributes: SpanAttributes;
  /** Default: now. */
  readonly startedAt?: number;
  /** Whether it is what all other phases of the operation hang below. */
  readonly begins: boolean;
};

/** Traces of operations. Nothing of it throws or waits of itself: what `work` comes to is passed on as it is. */
export type Tracing = {
  phase<T>(phase: Phase, work: () => Promise<T>): Promise<T>;
  /** A span below the one that the caller is in; outside of a phase only the work is done. */
  span<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
  /** The same of what is over already. */
  past(name: string, startedAt: number, endedAt: number): void;
  /** Adds to the span that the caller is in. */
  set(attributes: SpanAttributes): void;
  /** A moment in it. */
  event(name: string): void;
};

const noTracing: Tracing = {
  phase: (_, work) => work(),
  span: (_name, _attributes, work) => work(),
  past: () => undefined,
  set: () => undefined,
  event: () => undefined,
};

/** Where nothing is traced, one that only does the work. */
export function tracingOf({ tracing = noTracing }: Pick<Services, "tracing">): Tracing {
  return tracing;
}

/** The drawing of a plan: what is read for it (`gather` within it), and what is decided. */
export function planning<T>(services: Pick<Services, "tracing">, draw: () => Promise<T>): Promise<T> {
  return tracingOf(services).span("plan", {}, draw);
}

/** All that a replica does for an operation while it holds it; whoever plans it begins its trace, with the command's arrival. */
export function inOperation(services: Services, operation: Operation, work: () => Promise<Reply>): Promise<Reply> {
  const { id, state, kind, origin } = operation;
  const tracing = tracingOf(services);
  const begins = state === "accepted";
  const phase = { operation: id, name: `${phaseOf(state)} ${kind}`, attributes: attributesOf(operation), begins };
  return tracing.phase(begins ? { ...phase, startedAt: origin.at } : phase, async () => {
    if (begins && origin.acknowledgedAt !== undefined) tracing.past("acknowledge", origin.at, origin.acknowledgedAt);
    const reply = await work();
    tracing.set({ "bulkhead.outcome": reply.outcome });
    return reply;
  });
}

function phaseOf(state: OperationState): string {
  if (state === "accepted") return "command";
  return state === "running" ? "carry out" : "answer";
}

/** What a press on a button of the operation does, from its arrival on. */
export function inPress(
  services: Services,
  { action, at }: Pick<Press, "action" | "at">,
  operation: Operation,
  work: () => Promise<Reply | Refusal>,
): Promise<Reply | Refusal> {
  const tracing = tracingOf(services);
  const attributes = attributesOf(operation);
  const phase = { operation: operation.id, name: `press ${action}`, attributes, startedAt: at, begins: false };
  return tracing.phase(phase, async () => {
    const done = await work();
    tracing.set({ "bulkhead.outcome": isRefusal(done) ? "refused" : done.outcome });
    return done;
  });
}

/** What is told of an allowance once nothing of it is in the cluster any more, whichever net has ended it. */
export function inEnd(
  services: Services,
  operation: Operation,
  { why, lateMs }: AllowanceEnd,
  work: () => Promise<void>,
): Promise<void> {
  const attributes = { ...attributesOf(operation), "bulkhead.end": why, "bulkhead.late_ms": lateMs };
  return tracingOf(services).phase({ operation: operation.id, name: "end allowance", attributes, begins: false }, work);
}

function attributesOf({ id, kind, target }: Operation): SpanAttributes {
  return {
    "bulkhead.operation": id,
    "bulkhead.kind": kind,
    "k8s.cluster.name": target.cluster,
    "k8s.namespace.name": target.namespace,
  };
}

/** The outlet with a span for each card and note that is shown. */
export function tracedOutlet(services: Services, outlet: Outlet): Outlet {
  const { tracing } = services;
  if (tracing === undefined) return outlet;
  return {
    ...outlet,
    show: (reply, card) =>
      tracing.span("show card", { "bulkhead.shape": reply.shape }, async () => {
        const shown = await outlet.show(reply, card);
        tracing.set({ "bulkhead.reached": shown.reached });
        return shown;
      }),
  };
}
