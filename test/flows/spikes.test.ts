import { describe, expect, test } from "vitest";
import { packed, unpacked } from "../../src/flows/baselines.ts";
import { createSpikes, type SpikeState, step } from "../../src/flows/spikes.ts";
import { minuteOf, pair, quiet, run, startMs, steady } from "./spike-minutes.ts";

describe("What is usual", () => {
  test("is learnt before anything is told, and then a pair that was never seen is new", () => {
    const told = run([...quiet(10), ...steady("cart", 50, 10)]);
    expect(told.begun).toEqual([]);
    const later = run([...quiet(40), ...steady("cart", 50, 10)]);
    expect(later.begun).toMatchObject([{ kind: "new", subject: { kind: "pair" }, sinceMs: startMs + 41 * 60_000 }]);
  });

  test("grows with a slow drift, from ten to two hundred in twelve hours", () => {
    const minutes = Array.from({ length: 720 }, (_, index) => [pair("cart", 10 + index / 4)]);
    expect(run([...steady("cart", 10, 60), ...minutes]).begun).toEqual([]);
  });

  test("leaves a single minute alone, however high it is by chance", () => {
    expect(run([...steady("cart", 5, 60), [pair("cart", 40)], ...steady("cart", 5, 30)]).begun).toEqual([]);
  });

  test("is not what came while no source told anything", () => {
    const silence = Array.from({ length: 60 }, () => undefined);
    const { begun, ended } = run([...steady("cart", 40, 60), ...silence, ...steady("cart", 40, 30)]);
    expect({ begun, ended }).toEqual({ begun: [], ended: [] });
  });
});

describe("A spike", () => {
  const spike = [...steady("cart", 2, 60), ...steady("cart", 80, 10)];

  test("is told once, and ends with the minute from which it was quiet", () => {
    const { begun, ended } = run([...spike, ...steady("cart", 2, 20)]);
    expect(begun).toMatchObject([{ kind: "spike", namespaces: ["cart"], pairCount: 1 }]);
    expect(ended).toMatchObject([{ why: "quiet", spike: { id: begun[0]?.id } }]);
    const quietAfter = ((ended[0]?.sinceMs ?? 0) - startMs) / 60_000 - spike.length;
    expect(quietAfter).toBeGreaterThanOrEqual(0);
    expect(quietAfter).toBeLessThanOrEqual(3);
  });

  test("does not end in silence: what is not heard is not quiet", () => {
    const silence = Array.from({ length: 30 }, () => undefined);
    expect(run([...spike, ...silence]).ended).toEqual([]);
  });

  test("is not told again right after its end, but is where it follows a change of a policy", () => {
    const again = [...spike, ...steady("cart", 2, 12), ...steady("cart", 80, 10)];
    expect(run(again).begun).toHaveLength(1);
    const change = { id: "r-1", namespace: "cart", atMs: startMs + 81.5 * 60_000 };
    expect(run(again, { changes: [change] }).begun).toMatchObject([{ follows: [] }, { follows: [{ id: "r-1" }] }]);
  });

  test("of a day's length counts as usual from then on", () => {
    const { ended } = run([...steady("cart", 2, 60), ...steady("cart", 80, 1_450), ...steady("cart", 80, 60)]);
    expect(ended).toMatchObject([{ why: "usual" }]);
  });

  test("names the change that it follows, not one of another namespace, and not one of long before", () => {
    const at = startMs + 60 * 60_000;
    const changes = [
      { id: "r-other", namespace: "shop", atMs: at - 30_000 },
      { id: "r-old", namespace: "cart", atMs: at - 20 * 60_000 },
      { id: "r-this", namespace: "cart", atMs: at - 60_000 },
      { id: "r-all", namespace: undefined, atMs: at - 120_000 },
    ];
    expect(run(spike, { changes }).begun[0]?.follows.map(({ id }) => id)).toEqual(["r-this", "r-all"]);
  });

  test("is one for all pairs of a namespace that a change denies, each of them a little", () => {
    const few = Array.from({ length: 40 }, () => [pair("cart", 3)]);
    const many = Array.from({ length: 10 }, () =>
      Array.from({ length: 30 }, (_, port) => pair("cart", 4, 1_000 + port)),
    );
    const { begun } = run([...few, ...many], {
      changes: [{ id: "r-1", namespace: "cart", atMs: startMs + 39.5 * 60_000 }],
    });
    expect(begun).toMatchObject([{ subject: { kind: "namespaces", namespaces: ["cart"] }, follows: [{ id: "r-1" }] }]);
    expect(begun[0]?.pairs).toHaveLength(5);
    expect(begun[0]?.pairCount).toBe(30);
  });

  test("is as high as its minutes were, though it is told in a later one", () => {
    const { begun } = run([...quiet(40), ...steady("cart", 200, 1), ...steady("cart", 1, 1), ...quiet(5)]);
    expect(begun).toHaveLength(1);
    expect(begun[0]?.perMinute).toBeGreaterThan(40);
    expect(begun[0]?.pairs[0]?.count).toBe(begun[0]?.perMinute);
  });

  test("counts and shows a pair once that it was made of before that pair was high by itself", () => {
    const wide = Array.from({ length: 20 }, (_, port) => pair("cart", 5, 1_000 + port));
    const high = [pair("cart", 60, 1), pair("cart", 50, 2), pair("cart", 40, 3)];
    const { grown } = run([...quiet(40), ...Array.from({ length: 4 }, () => [...wide, ...high]), ...quiet(5)]);
    expect(grown.length).toBeGreaterThan(0);
    for (const { pairs, pairCount } of grown) {
      expect(new Set(pairs.map(({ key }) => key.port)).size).toBe(pairs.length);
      expect(pairCount).toBe(wide.length + high.length);
    }
  });

  test("is none of what is muted", () => {
    expect(run(spike, { isMuted: () => true }).begun).toEqual([]);
  });
});

test("Somebody who is denied to everybody is told of once, as a scan", () => {
  const scan = Array.from({ length: 20 }, (_, minute) =>
    Array.from({ length: 10 }, (_, port) => pair("ops", 1, 2_000 + minute * 10 + port)),
  );
  const { begun, state } = run([...quiet(40), ...scan, ...quiet(30)]);
  expect(begun).toMatchObject([{ kind: "scan", subject: { kind: "scan" } }]);
  expect(state.table.rows.size).toBeLessThan(60);
});

test("Any replica goes on from the stored state, and comes to the same", () => {
  const minutes = [...steady("cart", 2, 60), ...steady("cart", 80, 10), ...steady("cart", 2, 20)];
  const stored = (state: SpikeState): SpikeState => ({
    ...(JSON.parse(JSON.stringify({ ...state, table: undefined })) as SpikeState),
    minuteMs: state.minuteMs,
    table: unpacked(Buffer.from(packed(state.table).toString("base64"), "base64"), state.table.most),
  });
  const [one, other] = [run(minutes), run(minutes, { between: stored })];
  expect(other.begun).toEqual(one.begun);
  expect(other.ended).toEqual(one.ended);
});

test("How long is waited is as it was given: one minute above the limit tells, and one below it is quiet", () => {
  const pace = { learn: 3, confirm: 1, quiet: 1, lateMs: 0 };
  const minutes = [...quiet(4), ...steady("cart", 90, 1), ...quiet(1)];
  expect(run(minutes).begun).toEqual([]);
  const { begun, ended } = run(minutes, { pace });
  expect(begun).toHaveLength(1);
  expect(ended).toMatchObject([{ why: "quiet" }]);
});

test("Its memory is bounded: of too many pairs, those go of which least is known", () => {
  const crowd = Array.from({ length: 400 }, (_, index) => pair("crowd", 1, index));
  let state = createSpikes("home", 300);
  for (const [index, counted] of [...steady("cart", 50, 40), crowd, ...steady("cart", 50, 40)].entries()) {
    state = step(state, minuteOf(index, counted)).state;
  }
  expect(state.table.rows.size).toBeLessThanOrEqual(300);
  expect(state.table.bytes.byteLength).toBeLessThanOrEqual(300 * 84);
  expect(run([...quiet(40), ...steady("cart", 50, 5)], { first: state }).begun).toEqual([]);
});
