import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cycle, type Lane, type Plan, startLane } from "./lane.ts";
import { type RealCluster, useRealCluster } from "./real-cluster.ts";

/**
 * kill -9 before and after every write of a quarantine and of its release, those to Kubernetes and those to Redis: on
 * the control plane of KUBECONFIG, with the rights of deploy/ and no more; without it on the sandbox's cluster.
 */
const lanesAtOnce = 4;
const run = randomBytes(3).toString("hex");
const namespaces = Array.from({ length: lanesAtOnce }, (_, index) => `kill-${run}-${index + 1}`);
const lanes: Lane[] = [];
let real: RealCluster | undefined;

beforeAll(async () => {
  real = await useRealCluster(namespaces);
  for (const namespace of namespaces) {
    const objects = [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }];
    lanes.push(await startLane(namespace, real === undefined ? { objects } : { kubernetes: real.kubernetes }));
  }
}, 180_000);

afterAll(async () => {
  await Promise.all(lanes.map((lane) => lane.close()));
  await real?.remove();
}, 120_000);

type Row = Cycle & { readonly plan: Plan };

/** Every lane takes the next plan when it is done with one; one whose write did not come is tried once more. */
async function runAll(plans: readonly Plan[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const queue = [...plans];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let plan = queue.shift(); plan !== undefined; plan = queue.shift()) {
        const first = await lane.cycle(plan);
        const row = first.killed || first.problems.length > 0 ? first : await lane.cycle(plan);
        rows.push({ ...row, plan });
      }
    }),
  );
  return rows.toSorted((a, b) => plans.indexOf(a.plan) - plans.indexOf(b.plan));
}

/** Each write with how many of its name there were before it, before and after. */
function kills(steps: readonly string[]): readonly NonNullable<Plan["kill"]>[] {
  return steps.flatMap((step, index) => {
    const nth = steps.slice(0, index + 1).filter((one) => one === step).length;
    return (["before", "after"] as const).map((when) => ({ step, nth, when }));
  });
}

describe("kill -9 around every write of a quarantine and of its release", () => {
  let steps: readonly string[] = [];

  test("the writes are known, and a cycle that nobody disturbs is clean", async () => {
    const { steps: seen, problems, remarks } = await lanes[0]!.cycle({ by: "restart" });
    expect({ problems, remarks }).toEqual({ problems: [], remarks: [] });
    steps = seen;
    const there = ["create the policy", "put the quarantine label on", "take the labels off"];
    const back = ["put the labels back", "take the quarantine label off", "delete the policy"];
    const recorded = ["quarantine", "release"].flatMap((kind) => [
      `accept the ${kind}`,
      `store the ${kind}, planned`,
      `store the ${kind}, running with its card`,
      `chain the intent of the ${kind}`,
      `chain the outcome of the ${kind}`,
      `end the lease of the ${kind}`,
    ]);
    for (const step of [...there, ...back, ...recorded]) expect(steps).toContain(step);
  });

  test.each(["restart", "other"] as const)(
    "afterwards everything is finished or can be finished from its card, and every invariant holds (%s)",
    async (by) => {
      const plans = kills(steps).map((kill) => ({ kill, by }));
      const rows = await runAll(plans);
      process.stdout.write(table(rows, by));
      expect(rows.filter(({ problems }) => problems.length > 0)).toEqual([]);
      expect(rows.filter(({ killed }) => killed).length).toBeGreaterThanOrEqual(plans.length - 4);
    },
    1_500_000,
  );
});

function table(rows: readonly Row[], by: string): string {
  const lines = rows.map(({ plan: { kill }, killed, remarks, problems }) => {
    const step = `${kill?.step ?? ""}${(kill?.nth ?? 1) > 1 ? ` (${kill?.nth})` : ""}`;
    const outcome = problems.length > 0 ? `FAILED: ${problems.join("; ")}` : ["finished", ...remarks].join(", ");
    return `  ${(kill?.when ?? "").padEnd(6)}  ${step.padEnd(58)}  ${killed ? outcome : `(not reached) ${outcome}`}`;
  });
  return [`kill -9, then ${by}:`, ...lines, ""].join("\n");
}
