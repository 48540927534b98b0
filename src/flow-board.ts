import type { FlowMetrics } from "./flow-metrics.ts";
import type { FlowSourceState } from "./flows/flow-source.ts";
import type { Ledger } from "./flows/ledger.ts";
import { oneOfEach, type SourceStates } from "./flows/source-states.ts";
import { type SweepOptions, startSweep } from "./scheduler/sweep.ts";

/** How sources stand, here and at other replicas. */
export type FlowBoard = {
  /** One of each source; what others say is at most a few seconds old. */
  all(): readonly FlowSourceState[];
  /** The same ledger, after each write of which it is told up to where that is. */
  ledger(ledger: Ledger): Ledger;
  /** Tells where sources were left, as far as it is written; throws where the store is away. */
  tell(): Promise<void>;
  stop(): Promise<void>;
};

export type BoardOptions = SweepOptions & {
  /** Those of this replica, as they stand now. */
  readonly standing: () => readonly FlowSourceState[];
  readonly states: SourceStates;
  readonly metrics: FlowMetrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

const lookEveryMs = 2_000;

/** Who takes a source over goes on behind what is written: so nothing counts twice, and what was not written comes again. */
export function startFlowBoard({ standing, states, metrics, now, ...options }: BoardOptions): FlowBoard {
  let others: readonly FlowSourceState[] = [];
  let written = new Map<string, number | undefined>();

  const tell = (): Promise<void> =>
    states.tell(
      standing().map((state) => ({ ...state, positionMs: written.get(keyOf(state)) })),
      now(),
    );
  const look = async (): Promise<void> => {
    for (const state of standing()) metrics.source(state);
    await tell();
    others = await states.all(now());
  };
  const looking = startSweep(lookEveryMs, look, options);
  return {
    all: () => oneOfEach([...standing(), ...others]),
    ledger: (ledger) => ({
      ...ledger,
      async write(batch) {
        const positions = new Map(standing().map((state) => [keyOf(state), state.positionMs]));
        await ledger.write(batch);
        written = positions;
        await tell();
      },
    }),
    tell,
    stop: () => looking.stop(),
  };
}

function keyOf({ cluster, name }: FlowSourceState): string {
  return `${cluster} ${name}`;
}
