import { printable } from "./flow-trouble.ts";
import type { Alive } from "./grpc-source.ts";

/** relay.NodeStatusEvent; a state whose name is not known is a number. */
export type NodeStatus = { readonly state_change?: string | number; readonly node_names?: readonly string[] };

/** observer.ServerStatusResponse: 64 bit as text. */
type ServerStatus = {
  readonly max_flows?: string;
  readonly seen_flows?: string;
  readonly num_connected_nodes?: { readonly value?: number };
  readonly num_unavailable_nodes?: { readonly value?: number };
  readonly unavailable_nodes?: readonly string[];
};

/** The nodes that relay does not reach: what is denied there is not told. */
export type Nodes = {
  heed(status: NodeStatus): void;
  are(status: ServerStatus): void;
  /** Undefined where all are reached. */
  words(): string | undefined;
};

const mostKept = 1_000;
const mostNamed = 3;

export function createNodes(): Nodes {
  const away = new Set<string>();
  let total = 0;
  const keep = (name: string) => {
    if (away.size < mostKept) away.add(printable(name, 64));
  };
  return {
    heed({ state_change: state, node_names: names = [] }) {
      for (const name of names)
        if (state === "NODE_CONNECTED" || state === "NODE_GONE") away.delete(printable(name, 64));
        else keep(name);
      total = away.size;
    },
    are({ unavailable_nodes: names = [], num_unavailable_nodes: unavailable }) {
      away.clear();
      for (const name of names) keep(name);
      total = Math.max(unavailable?.value ?? 0, names.length);
    },
    words() {
      if (total === 0) return undefined;
      const named = [...away].slice(0, mostNamed).join(", ");
      const nodes = total === 1 ? "one node" : `${total} nodes`;
      const some = total > mostNamed ? `${named} and others` : named;
      return `Hubble relay does not reach ${nodes}${named === "" ? "" : ` (${some})`}: what is denied there is not seen`;
    },
  };
}

/**
 * Since when the nodes' rings still hold everything, after a break: all of it, where no more flows passed meanwhile than half a
 * ring takes (they are not spread evenly), else nothing before now. Counts of flows fall where an agent started anew, its
 * ring empty. Without an answer from before the break nothing is known, and nothing claimed to be lost.
 */
export function tellsSinceMs(before: Alive | undefined, now: Alive, brokeMs: number): number {
  if (before === undefined) return -Infinity;
  const earlier: ServerStatus = before.answer;
  const { seen_flows: seen, max_flows: room, num_connected_nodes: nodes }: ServerStatus = now.answer;
  const passed = Number(seen ?? 0) - Number(earlier.seen_flows ?? 0);
  const awayShare = Math.min(1, (now.atMs - brokeMs) / Math.max(1, now.atMs - before.atMs));
  const ring = Number(room ?? 0) / Math.max(1, nodes?.value ?? 1);
  const held = passed >= 0 && (passed * awayShare) / Math.max(1, nodes?.value ?? 1) <= ring / 2;
  return held ? -Infinity : now.atMs;
}
