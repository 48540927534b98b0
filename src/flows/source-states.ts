import type { Redis } from "ioredis";
import type { FlowSourceState } from "./flow-source.ts";

/** How sources stand, whichever replica has them. Every method throws where the store is away. */
export type SourceStates = {
  /** What this replica says now, in place of what it said before. Milliseconds since the epoch. */
  tell(states: readonly FlowSourceState[], nowMs: number): Promise<void>;
  /** What all replicas say, one of each source. */
  all(nowMs: number): Promise<readonly FlowSourceState[]>;
};

const key = "{bulkhead}:flows:sources";

/** A replica that said nothing for so long is gone, milliseconds. */
const goneMs = 30_000;
/** What it said of the last flow counts for longer. */
const forgottenMs = 24 * 3_600_000;

type Told = { readonly v: 1; readonly at: number; readonly states: readonly FlowSourceState[] };

/** In one hash of Redis: the replica's name to JSON. Replicas that are forgotten are taken out by whoever reads next. */
export function createSourceStates(redis: Redis, replica: string): SourceStates {
  const read = async (): Promise<readonly (readonly [string, Told | undefined])[]> =>
    Object.entries(await redis.hgetall(key)).map(([name, text]) => [name, toldOf(text)]);
  return {
    async tell(states, nowMs) {
      const told: Told = { v: 1, at: nowMs, states };
      await redis.hset(key, replica, JSON.stringify(told));
    },
    async all(nowMs) {
      const entries = await read();
      const forgotten = entries.filter(([, one]) => one !== undefined && nowMs - one.at > forgottenMs);
      if (forgotten.length > 0) await redis.hdel(key, ...forgotten.map(([name]) => name));
      const told = entries.flatMap((entry) => (entry[1] === undefined || forgotten.includes(entry) ? [] : [entry[1]]));
      return oneOfEach(
        told.flatMap(({ at, states }) => (nowMs - at > goneMs ? states.map((one) => gone(one)) : states)),
      );
    },
  };
}

/** One of each source, by cluster and name: the most that anybody says of its connection, and the newest flow that anybody had of it. */
export function oneOfEach(states: readonly FlowSourceState[]): readonly FlowSourceState[] {
  const sources = new Map<string, FlowSourceState>();
  for (const state of states) {
    const name = `${state.cluster} ${state.name}`;
    const other = sources.get(name);
    sources.set(name, other === undefined ? state : both(other, state));
  }
  return [...sources].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, state]) => state);
}

const rank: Record<FlowSourceState["state"], number> = { connected: 0, failing: 1, connecting: 2, elsewhere: 3 };

function both(one: FlowSourceState, other: FlowSourceState): FlowSourceState {
  const { state, why } = rank[one.state] <= rank[other.state] ? one : other;
  const formats = [...new Set([...one.formats, ...other.formats])].toSorted();
  const positionMs = latest(one.positionMs, other.positionMs);
  const lastFlowMs = latest(one.lastFlowMs, other.lastFlowMs);
  return { ...one, state, why, formats, lastFlowMs, ...(positionMs !== undefined && { positionMs }) };
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.max(one, other);
}

/** What was posted to it may be posted to any other. */
function gone(state: FlowSourceState): FlowSourceState {
  if (state.kind === "push") return { ...state, state: "connecting" };
  return { ...state, state: "failing", why: "the replica that asked it is gone" };
}

/** Undefined for what another version wrote: it is no business of this one. */
function toldOf(text: string): Told | undefined {
  const told = JSON.parse(text) as { readonly v: number };
  return told.v === 1 ? (told as Told) : undefined;
}
