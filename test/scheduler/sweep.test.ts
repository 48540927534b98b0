import { expect, test } from "vitest";
import { startSweep } from "../../src/scheduler/sweep.ts";
import { waitFor } from "../wait.ts";

const failing = {
  onError: (error: unknown): void => {
    throw error;
  },
};

test("The work is done at once and again and again, until it is stopped", async () => {
  let runs = 0;
  const sweep = startSweep(1, async () => void (runs += 1), failing);
  expect(runs).toBe(1);
  await waitFor(() => runs >= 5);
  await sweep.stop();
  const then = runs;
  await expect(waitFor(() => runs > then, { timeoutMs: 100 })).rejects.toThrow();
});

test("Runs never overlap, however slow they are", async () => {
  let under = 0;
  let most = 0;
  let runs = 0;
  const release: (() => void)[] = [];
  const work = async (): Promise<void> => {
    runs += 1;
    under += 1;
    most = Math.max(most, under);
    await new Promise<void>((resolve) => release.push(resolve));
    under -= 1;
  };
  const sweep = startSweep(1, work, failing);
  await expect(waitFor(() => runs > 1, { timeoutMs: 100 })).rejects.toThrow();
  for (let run = 1; run < 4; run += 1) {
    release.pop()?.();
    await waitFor(() => runs === run + 1);
  }
  expect(most).toBe(1);
  const stopped = sweep.stop();
  release.pop()?.();
  await stopped;
});

test("Stopping waits for the run that is under way, and begins no other", async () => {
  let finish = (): void => undefined;
  let runs = 0;
  let ended = false;
  const work = async (): Promise<void> => {
    runs += 1;
    await new Promise<void>((resolve) => (finish = resolve));
    ended = true;
  };
  const sweep = startSweep(1, work, failing);
  const stopping = sweep.stop().then(() => ended);
  finish();
  expect(await stopping).toBe(true);
  await expect(waitFor(() => runs > 1, { timeoutMs: 50 })).rejects.toThrow();
});

test("A run that fails is told, and the next one comes", async () => {
  const errors: unknown[] = [];
  let runs = 0;
  const work = (): Promise<void> => {
    runs += 1;
    if (runs === 1) throw new Error("at once");
    return runs === 2 ? Promise.reject(new Error("later")) : Promise.resolve();
  };
  let recoveries = 0;
  const sweep = startSweep(1, work, {
    onError: (error, again) => void errors.push(`${String(error)}${again ? ", again" : ""}`),
    onRecovery: () => void (recoveries += 1),
  });
  await waitFor(() => runs >= 5);
  await sweep.stop();
  expect(errors).toEqual(["Error: at once", "Error: later, again"]);
  expect(recoveries).toBe(1);
});
