import { afterEach, expect, test } from "vitest";
import { takeTurns } from "../src/flow-turn.ts";
import type { FlowSource, FlowSourceState } from "../src/flows/flow-source.ts";
import type { SourceStates } from "../src/flows/source-states.ts";
import type { Turns } from "../src/flows/turns.ts";
import { waitFor } from "./wait.ts";

const source = { name: "relay", cluster: "eu", kind: "hubble-relay" } as const;
const standing: FlowSourceState = { ...source, state: "connected", why: undefined, formats: [], lastFlowMs: 1 };

const started: FlowSource[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});

/** One replica with one source; `turn` says whose it is, or that nobody answers. */
function replica(turn: () => boolean, known: readonly FlowSourceState[] = []) {
  const opened: (number | undefined)[] = [];
  let open = 0;
  let holds = (): boolean => false;
  const turns: Turns = { take: async () => turn(), release: async () => undefined };
  const states: SourceStates = { tell: async () => undefined, all: async () => known };
  const taken = takeTurns({
    source,
    turns,
    states,
    now: () => 1_000,
    lookEveryMs: 10,
    lastsMs: 100,
    onError: () => undefined,
    open(sinceMs, mayTake) {
      holds = mayTake;
      opened.push(sinceMs);
      open += 1;
      return { state: () => standing, stop: async () => void (open -= 1) };
    },
  });
  started.push(taken);
  return { taken, opened, open: () => open, holds: () => holds() };
}

test("A source that is another replica's is not asked", async () => {
  const { taken, open } = replica(() => false);
  await waitFor(() => taken.state().state === "elsewhere");
  expect(open()).toBe(0);
});

test("It is asked from the event on at which anybody left it", async () => {
  const { taken, opened } = replica(
    () => true,
    [
      { ...standing, cluster: "us", positionMs: 1 },
      { ...standing, positionMs: 700 },
    ],
  );
  await waitFor(() => taken.state().state === "connected");
  expect(opened).toEqual([700]);
});

test("Who loses the turn stops asking", async () => {
  let isOurs = true;
  const { taken, open } = replica(() => isOurs);
  await waitFor(() => open() === 1);
  isOurs = false;
  await waitFor(() => open() === 0);
  expect(taken.state()).toEqual({ ...standing, state: "elsewhere" });
});

test("Who was frozen for longer than a turn lasts takes nothing more, before it has asked whose turn it is", async () => {
  const { open, holds } = replica(() => true);
  await waitFor(() => open() === 1 && holds());
  const frozenUntil = performance.now() + 150;
  while (performance.now() < frozenUntil) continue;
  expect(holds()).toBe(false);
  await waitFor(() => holds());
});

test("While the store is away nobody asks when the turn is over, and somebody does when it is back", {
  timeout: 20_000,
}, async () => {
  let isAway = false;
  const { open } = replica(() => {
    if (isAway) throw new Error("away");
    return true;
  });
  await waitFor(() => open() === 1);
  isAway = true;
  await waitFor(() => open() === 0);
  isAway = false;
  await waitFor(() => open() === 1);
});
