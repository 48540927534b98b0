import { setTimeout as delay } from "node:timers/promises";
import { type System, startWorker } from "./timer-queues.ts";

/** What a worker process did: how late each was begun, in milliseconds, and the processor's time that it used. */
export type Worked = { readonly late: readonly number[]; readonly cpuMs: number };

/** What its parent says to it. */
export type Order = "begin" | "report";
/** What it answers. */
export type Answer = "ready" | Worked;

/** `node timer-worker.ts ours|bullmq URL`: works from `begin` on, and ends with `report`. */
const [system, url] = process.argv.slice(2) as [System, string];

const workMs = 5;
const late: number[] = [];
let before = process.cpuUsage();

const orders: Readonly<Record<Order, () => Promise<void>>> = {
  async begin() {
    before = process.cpuUsage();
    await startWorker(system, url, async (dueAt) => {
      late.push(Date.now() - dueAt);
      await delay(workMs);
    });
    answer("ready");
  },
  async report() {
    const { user, system: kernel } = process.cpuUsage(before);
    answer({ late, cpuMs: (user + kernel) / 1_000 }, () => process.exit());
  },
};
process.on("message", (order: Order) => void orders[order]());
process.on("disconnect", () => process.exit());
answer("ready");

function answer(said: Answer, sent = (): void => undefined): void {
  process.send?.(said, sent);
}
