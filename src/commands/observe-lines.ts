import { z } from "zod";
import type { Place } from "../flows/place.ts";
import type { FlowEnd } from "../flows/record.ts";
import type { SeenPod, Sighting } from "../flows/sighting.ts";
import { oneLine } from "./markdown.ts";
import type { Counter } from "./observe-judge.ts";

/** A flow as it is kept with an operation; `what` is the counter that it went to, or its verdict. All strings are from outside. */
export type FlowLine = {
  readonly what: string;
  readonly from: LineEnd;
  readonly to: LineEnd;
  readonly protocol: string;
  readonly port: number | undefined;
  readonly direction: string | undefined;
};

/** `namespace` is undefined for what is no pod. */
export type LineEnd = { readonly namespace: string | undefined; readonly name: string };

/** The text that stands for the line, the same for the same flow; at most 1 000 characters. */
export function lineText({ record, fromPod, toPod, from, to }: Sighting, counter: Counter | undefined): string {
  const what = counter?.split(":")[0] ?? record.verdict.kind;
  const [source, target] = [endOf(fromPod, record.from, from), endOf(toPod, record.to, to)];
  const { protocol, toPort, direction } = record;
  return JSON.stringify([
    1,
    what,
    source.namespace,
    source.name,
    target.namespace,
    target.name,
    protocol,
    toPort,
    direction,
  ]);
}

const name = z.string().max(1_000);

const shape = z.tuple([
  z.literal(1),
  name,
  name.nullable(),
  name,
  name.nullable(),
  name,
  name,
  z.number().nullable(),
  name.nullable(),
]);

/** Undefined where it is no text of lineText. */
export function lineOf(text: string): FlowLine | undefined {
  const { data } = shape.safeParse(parsed(text));
  if (data === undefined) return undefined;
  const [, what, fromNamespace, fromName, toNamespace, toName, protocol, port, direction] = data;
  return {
    what,
    from: { namespace: fromNamespace ?? undefined, name: fromName },
    to: { namespace: toNamespace ?? undefined, name: toName },
    protocol,
    port: port ?? undefined,
    direction: direction ?? undefined,
  };
}

/**
 * A clause: `payments/checkout-1 → 203.0.113.9 TCP 443`. Pods of namespaces that the reader may not see (`isSeen`) have no
 * name in it.
 */
export function lineWords({ from, to, protocol, port }: FlowLine, isSeen: (namespace: string) => boolean): string {
  const [source, target] = [endWords(from, isSeen), endWords(to, isSeen)];
  return `${source} → ${target} ${protocol}${port === undefined ? "" : ` ${port}`}`;
}

/** No name of Kubernetes is longer. */
const longest = 253;

function endOf(pod: SeenPod | undefined, end: FlowEnd, place: Place): LineEnd {
  if (pod !== undefined) return { namespace: clean(pod.namespace), name: clean(pod.name) };
  if (end.namespace !== undefined) {
    return { namespace: clean(end.namespace), name: clean(end.pod ?? end.workload?.name ?? "?") };
  }
  return { namespace: undefined, name: clean(end.names[0] ?? end.address ?? placeWords(place)) };
}

function placeWords(place: Place): string {
  if (place.kind === "node") return "a node";
  return place.kind === "range" ? place.cidr : place.name;
}

function clean(text: string): string {
  return oneLine(text).slice(0, longest).toWellFormed();
}

function endWords({ namespace, name: of }: LineEnd, isSeen: (namespace: string) => boolean): string {
  if (namespace === undefined) return of;
  return isSeen(namespace) ? `${namespace}/${of}` : "a pod of another namespace";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
