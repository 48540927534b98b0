import type { Place } from "./place.ts";
import type { DenyReason, FlowPolicy, FlowProtocol } from "./record.ts";

/**
 * What a flow counts as. Only `denied` and `audited` are listed one by one; of each other class there is a line with its
 * total (facts: denied-flows §7).
 */
export type FlowClass =
  | "denied"
  | "audited"
  /** Dropped for a reason that is no policy's. */
  | "not-policy"
  /** An answer on a connection that is open, or what looks like one. */
  | "reply"
  /** Health checks of nodes and of the network plugin. */
  | "probe"
  /** Multicast, broadcast, link-local, neighbour discovery. */
  | "multicast"
  /** Right after a pod's start or a policy's change. */
  | "settling";

/** What is counted together. `port` undefined: none, or ephemeral ones folded, or `many` of a scan. */
export type FlowKey = {
  readonly cluster: string;
  readonly class: FlowClass;
  readonly from: Place;
  readonly to: Place;
  readonly protocol: FlowProtocol;
  readonly port: number | "many" | undefined;
  readonly direction: "ingress" | "egress" | undefined;
  readonly reason: DenyReason | undefined;
  /** Explicit denies that the source names. */
  readonly policies: readonly FlowPolicy[];
};

/** The same text for the same key, and another for any other: JSON with a version, on one line. */
export function textOf(key: FlowKey): string {
  return withPort(pairText(key), key.port);
}

/** The same for keys that differ by their port alone. */
export function pairText({ cluster, class: of, from, to, protocol, direction, reason, policies }: FlowKey): string {
  const named = policies.map(({ kind, namespace, name }) => [kind ?? null, namespace ?? null, name]);
  return JSON.stringify([1, cluster, of, wordsOf(from), wordsOf(to), protocol, direction, reason, named]);
}

/** The key's text, of its pairText and its port. */
export function withPort(pair: string, port: FlowKey["port"]): string {
  return `${pair.slice(0, -1)},${JSON.stringify(port ?? null)}]`;
}

/** Undefined where it is no text of textOf. */
export function keyOfText(text: string): FlowKey | undefined {
  const [version, cluster, of, from, to, protocol, direction, reason, named, port] = JSON.parse(text);
  if (version !== 1) return undefined;
  return {
    cluster,
    class: of,
    from: placeOf(from),
    to: placeOf(to),
    protocol,
    port: port ?? undefined,
    direction: direction ?? undefined,
    reason: reason ?? undefined,
    policies: named.map(([kind, namespace, name]: (string | null)[]) => ({
      kind: kind ?? undefined,
      namespace: namespace ?? undefined,
      name,
    })),
  };
}

function wordsOf(place: Place): readonly string[] {
  if (place.kind === "workload") return ["w", place.namespace, place.of, place.name];
  if (place.kind === "node") return ["n"];
  if (place.kind === "range") return ["r", place.cidr];
  return [place.kind === "name" ? "d" : "e", place.name];
}

function placeOf([kind, ...words]: readonly string[]): Place {
  const [first = "", of = "", name = ""] = words;
  if (kind === "w") return { kind: "workload", namespace: first, of, name };
  if (kind === "r") return { kind: "range", cidr: first };
  if (kind === "d") return { kind: "name", name: first };
  return kind === "n" ? { kind: "node" } : { kind: "entity", name: first };
}
