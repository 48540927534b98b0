import { hash } from "node:crypto";
import type { FlowSource } from "./flow-source.ts";
import { itemsOfGoldmane } from "./goldmane-flow.ts";
import { methodOf } from "./grpc-connection.ts";
import { type Dialect, followGrpc, type GrpcSourceOptions } from "./grpc-source.ts";
import type { Interest } from "./interests.ts";
import type { FlowEnd, FlowItem, FlowRecord } from "./record.ts";

const list = methodOf("goldmane.proto", "goldmane.Flows", "List");
const stream = methodOf("goldmane.proto", "goldmane.Flows", "Stream");

/** Two of its windows: it tells a window when the next one is over, and the nodes' parts come one by one (facts: denied-flows §2). */
const overlapMs = 30_000;
/** 242 buckets of 15 s (facts: denied-flows §2). */
const historyMs = 3_600_000;

/** goldmane.FlowResult, as far as it is looked at here. */
type Result = { readonly flow?: { readonly Key?: object; readonly start_time?: string } };

/**
 * Follows Calico's Goldmane: what is denied, and what is allowed as far as pods of interest may be in it, which it names only by
 * what their names begin with. Only the filter `actions` is the same in all its versions (facts: denied-flows §2).
 */
export function followGoldmane(options: GrpcSourceOptions): FlowSource {
  const { cluster, interests } = options;
  const dialect: Dialect = {
    followed: { kind: "goldmane", expected: "Goldmane" },
    format: "goldmane",
    alive: { method: list, request: { start_time_gte: "-15", page_size: "1", filter: { actions: ["Deny"] } } },
    stream,
    overlapMs,
    request: (sinceMs, all) => ({
      start_time_gte: sinceMs === undefined ? "0" : String(Math.max(1, Math.ceil(sinceMs / 1_000))),
      filter: { actions: all.length === 0 ? ["Deny"] : ["Deny", "Allow"] },
    }),
    read(message, nowMs) {
      const { flow }: Result = message;
      const all = itemsOfGoldmane(flow, { atMs: nowMs });
      const items = all.filter((item) => isWanted(item, interests.of(cluster)));
      return items.length === 0 ? undefined : { id: idOf(flow), atMs: startOf(flow) ?? nowMs, items };
    },
    degraded: () => undefined,
    tellsSinceMs: (_before, now) => now.atMs - historyMs,
  };
  return followGrpc(options, dialect);
}

/** Its key, which has the reporter in it, and its window: ids are other ones after a restart (facts: denied-flows §2). */
function idOf(flow: Result["flow"]): string {
  return hash("sha1", JSON.stringify([flow?.Key, flow?.start_time]), "base64");
}

function startOf(flow: Result["flow"]): number | undefined {
  const seconds = Number(flow?.start_time);
  return Number.isNaN(seconds) ? undefined : seconds * 1_000;
}

/** Staged denials stand in allowed flows, which are not asked for: counted now and then they would count for nothing. */
function isWanted(item: FlowItem, interests: readonly Interest[]): boolean {
  if (item.kind !== "flow") return item.kind === "unreadable";
  const { kind } = item.record.verdict;
  return kind === "denied" || (kind === "forwarded" && interests.some((interest) => mayBeOf(item.record, interest)));
}

function mayBeOf({ from, to }: FlowRecord, { namespace, pod }: Interest): boolean {
  const may = (end: FlowEnd) =>
    end.namespace === namespace &&
    (end.pod === pod || (end.workload?.prefix === true && pod.startsWith(end.workload.name)));
  return may(from) || may(to);
}
