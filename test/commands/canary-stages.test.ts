import { describe, expect, test } from "vitest";
import { type Act, advance, isOverdue, longestMs, nextAct, type Progress } from "../../src/commands/canary-stages.ts";
import type { PodState } from "../../src/kubernetes/canary-pods.ts";

const limits = { startMs: 60_000, effectMs: 30_000, stageMs: 40_000 };
const now = 1_000_000;

function pod(more: Partial<PodState> = {}): PodState {
  return {
    name: "p",
    uid: "u",
    terminating: false,
    phase: "Pending",
    ip: undefined,
    node: undefined,
    image: undefined,
    ended: {},
    trouble: undefined,
    ...more,
  };
}

const server = pod({ phase: "Running", ip: "10.0.0.1" });

function next(phase: Progress["phase"], client: PodState | undefined, more: Partial<Progress> = {}): Act {
  return nextAct({ phase, since: now, deniedAt: now - 30_000, ...more }, { server, client }, now, limits);
}

/** Exit codes: 0 saw what it looks for, 42 saw the other. */
describe("a pool", () => {
  test("that goes through all stages is enforced, and every step of it is needed", () => {
    const acts = [
      next("server", undefined),
      next("open", pod({ ended: { open: 0 } })),
      next("ingress", pod({ ended: { open: 0, ingress: 0 } })),
      next("after-ingress", pod({ ended: { "after-ingress": 0 } })),
      next("egress", pod({ ended: { egress: 0 } })),
      next("after-egress", pod({ ended: { "after-egress": 0 } })),
    ];
    expect(acts).toEqual([
      { kind: "start-client", host: "10.0.0.1" },
      { kind: "deny", direction: "ingress" },
      { kind: "allow", direction: "ingress" },
      { kind: "deny", direction: "egress" },
      { kind: "allow", direction: "egress" },
      expect.objectContaining({ kind: "end", state: "enforced" }),
    ]);
    let progress: Progress = { phase: "server", since: 0, deniedAt: 0 };
    const phases = acts.slice(0, -1).map((act, at) => {
      progress = advance(progress, act, at);
      return [progress.phase, progress.since, progress.deniedAt];
    });
    expect(phases).toEqual([
      ["open", 0, 0],
      ["ingress", 1, 1],
      ["after-ingress", 2, 1],
      ["egress", 3, 3],
      ["after-egress", 4, 3],
    ]);
  });

  test.each(["ingress", "egress"] as const)(
    "that still connects long after %s was denied does not enforce",
    (phase) => {
      expect(next(phase, pod({ ended: { [phase]: 42 } }))).toMatchObject({
        state: "not-enforced",
        because: `new connections still came through 30 s after a policy that denies all ${phase}`,
      });
    },
  );

  test.each<[string, Progress["phase"] | [Progress["phase"], Partial<Progress>], Partial<PodState>, RegExp]>([
    ["never connected", "open", { ended: { open: 42 } }, /reached its server at no time/],
    ["lost the connection before the policy", "open", { ended: { open: 0, ingress: 0 } }, /ended before the policy/],
    ["had its policy late", ["ingress", { deniedAt: now - 29_999 }], { ended: { ingress: 42 } }, /too late to judge/],
    ["does not connect again", "after-ingress", { ended: { "after-ingress": 42 } }, /did not come back/],
    ["does not connect again at the end", "after-egress", { ended: { "after-egress": 42 } }, /did not come back/],
    ["has no Node in its image", "open", { ended: { open: 127 } }, /stage open \(exit code 127\)/],
    ["has a script that fails", "ingress", { ended: { ingress: 1 } }, /stage ingress \(exit code 1\)/],
    [
      "was evicted",
      "egress",
      { phase: "Failed", trouble: { reason: "Evicted", message: "low on memory" } },
      /ended in the stage egress: Evicted, low on memory/,
    ],
    [
      "cannot get its image",
      "open",
      { trouble: { reason: "ImagePullBackOff", message: "" } },
      /stays Pending: ImagePullBackOff/,
    ],
    [
      "finds no node in time",
      ["open", { since: now - 100_001 }],
      { trouble: { reason: "Unschedulable", message: "0/3 nodes" } },
      /stays Pending: Unschedulable, 0\/3 nodes/,
    ],
  ])("whose client %s could not be tested", (_, at, client, why) => {
    const [phase, more = {}] = typeof at === "string" ? [at] : at;
    const act = next(phase, pod(client), more);
    expect(act).toMatchObject({ kind: "end", state: "untested" });
    expect("because" in act ? act.because : "").toMatch(why);
  });

  test.each(["server", "open", "ingress", "after-ingress", "egress", "after-egress"] as const)(
    "whose server is gone or has ended in the phase %s could not be tested, whatever its client saw",
    (phase) => {
      const client = pod({ ended: { [phase]: 0 } });
      const progress: Progress = { phase, since: now, deniedAt: now - 30_000 };
      const judge = (it: PodState | undefined) => nextAct(progress, { server: it, client }, now, limits);
      expect(judge(undefined)).toMatchObject({
        state: "untested",
        because: expect.stringContaining("is gone") as string,
      });
      expect(judge(pod({ phase: "Failed" }))).toMatchObject({ state: "untested" });
    },
  );

  test("waits while a pod may still start, and no longer", () => {
    const judge = (since: number) =>
      nextAct({ phase: "server", since, deniedAt: 0 }, { server: pod(), client: undefined }, now, limits);
    expect(judge(now - 60_000)).toEqual({ kind: "wait" });
    expect(judge(now - 60_001)).toMatchObject({ state: "untested", because: "its server pod stays Pending" });
    expect(isOverdue({ phase: "egress", since: now - 100_000, deniedAt: 0 }, now, limits)).toBe(false);
    expect(longestMs(limits)).toBe(60_000 + 5 * 100_000);
  });
});
