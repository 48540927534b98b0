import type { FlowSource, FlowSourceState } from "./flows/flow-source.ts";
import type { SourceStates } from "./flows/source-states.ts";
import { type Turns, turnMs } from "./flows/turns.ts";
import { type SweepOptions, startSweep } from "./scheduler/sweep.ts";

/** A source that one replica asks at a time. */
export type TurnOptions = SweepOptions & {
  readonly source: Pick<FlowSourceState, "name" | "cluster" | "kind">;
  /**
   * Begins to ask, from the event at which it was last left off; undefined: from now on. Milliseconds since the epoch. What comes
   * while it does not hold is not to be taken: a replica that was frozen wakes up with much to read, and another has the turn.
   */
  readonly open: (sinceMs: number | undefined, holds: () => boolean) => FlowSource;
  readonly turns: Turns;
  readonly states: SourceStates;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How often the turn is renewed, or looked for; and how long it lasts (Turns). Milliseconds. */
  readonly lookEveryMs?: number;
  readonly lastsMs?: number;
};

export type Turn = FlowSource & {
  /** After `stop`, once it is told where the source was left: another replica may go on from there. Throws where the store is away. */
  release(): Promise<void>;
};

/**
 * Asks the source while it is this replica's turn. While the store is away the turn lapses, and nobody asks: what would come could
 * not be kept.
 */
export function takeTurns(options: TurnOptions): Turn {
  const { source, open, turns, states, now, lookEveryMs = 1_000, lastsMs = turnMs } = options;
  const key = `${source.cluster}/${source.name}`;
  let asked: FlowSource | undefined;
  let lapsesMs = 0;
  let isElsewhere = false;
  let last: FlowSourceState = { ...source, state: "connecting", why: undefined, formats: [], lastFlowMs: undefined };

  const leave = async (): Promise<void> => {
    const left = asked;
    asked = undefined;
    await left?.stop();
    last = left?.state() ?? last;
  };
  const look = async (): Promise<void> => {
    const beganMs = performance.now();
    const isOurs = await turns.take(key);
    isElsewhere = !isOurs;
    if (!isOurs) return leave();
    lapsesMs = beganMs + lastsMs;
    asked ??= open(await positionOf(states, source, now()), () => performance.now() < lapsesMs);
  };
  const looking = startSweep(
    lookEveryMs,
    () =>
      look().catch(async (error: unknown) => {
        if (performance.now() + lookEveryMs >= lapsesMs) await leave();
        throw error;
      }),
    options,
  );
  return {
    state: () => asked?.state() ?? { ...last, why: undefined, state: isElsewhere ? "elsewhere" : "connecting" },
    async stop() {
      await looking.stop();
      await leave();
    },
    release: () => turns.release(key),
  };
}

async function positionOf(states: SourceStates, source: TurnOptions["source"], nowMs: number) {
  const all = await states.all(nowMs);
  return all.find(({ name, cluster }) => name === source.name && cluster === source.cluster)?.positionMs;
}
