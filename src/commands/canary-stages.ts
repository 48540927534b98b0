import type { PodState } from "../kubernetes/canary-pods.ts";
import { formatDuration } from "../policy/duration.ts";
import type { PoolFinding } from "../scheduler/enforcement.ts";
import { sawOther } from "./canary-script.ts";

/** Which way a policy denies, seen from the pod that it selects. */
export type Direction = "ingress" | "egress";

/**
 * What the client looks for, one container after the other in one pod: so that a network that was only late, or a server
 * that died, is not taken for a policy that works. `ingress` and `egress` each under a policy that denies just that.
 */
export const stages = [
  { name: "open", sees: "open" },
  { name: "ingress", sees: "closed" },
  { name: "after-ingress", sees: "open" },
  { name: "egress", sees: "closed" },
  { name: "after-egress", sees: "open" },
] as const;

export type StageName = (typeof stages)[number]["name"];

/** How far a pool is: the server has to run, then the client goes through its stages. */
export type Progress = {
  readonly phase: "server" | StageName;
  /** When the phase began, and when the last policy was in the API; milliseconds since the epoch. */
  readonly since: number;
  readonly deniedAt: number;
};

/** The pods of the pool as they were read last; undefined where one was not there. */
export type PoolPods = { readonly server: PodState | undefined; readonly client: PodState | undefined };

/** Milliseconds: for a pod to start, for a policy to take effect, for one stage. */
export type CanaryLimits = { readonly startMs: number; readonly effectMs: number; readonly stageMs: number };

export type Act =
  | { readonly kind: "wait" }
  | { readonly kind: "start-client"; readonly host: string }
  | { readonly kind: "deny"; readonly direction: Direction }
  | { readonly kind: "allow"; readonly direction: Direction }
  | ({ readonly kind: "end" } & Omit<PoolFinding, "pool">);

/** What is to be done next for one pool. `enforced` only after all stages saw what they look for, in their order. */
export function nextAct(progress: Progress, pods: PoolPods, now: number, limits: CanaryLimits): Act {
  const { phase } = progress;
  const { server, client } = pods;
  if (server === undefined) return untested("its server pod is gone: something else deleted it");
  if (server.phase === "Failed" || server.phase === "Succeeded")
    return untested(`its server pod ended ${during(phase)}${words(server)}`);
  if (phase === "server") return started(server) ?? late(progress, server, now, limits);
  if (client === undefined) return untested("its client pod is gone: something else deleted it");
  const code = client.ended[phase];
  if (code === 0) return passed(phase, client);
  if (code === sawOther) return failed({ ...progress, phase }, now, limits);
  if (code !== undefined) return untested(`its client pod failed ${during(phase)} (exit code ${code})`);
  if (client.phase === "Failed") return untested(`its client pod ended ${during(phase)}${words(client)}`);
  return late(progress, client, now, limits);
}

/** The progress once the act is done. */
export function advance(progress: Progress, act: Act, now: number): Progress {
  switch (act.kind) {
    case "start-client":
      return { ...progress, phase: "open", since: now };
    case "deny":
      return { phase: act.direction, since: now, deniedAt: now };
    case "allow":
      return { ...progress, phase: `after-${act.direction}`, since: now };
    case "wait":
    case "end":
      return progress;
  }
}

/** How long a run can take at most until every pool has ended. */
export function longestMs({ startMs, stageMs }: CanaryLimits): number {
  return startMs + stages.length * (startMs + stageMs);
}

/** Whether the phase has taken longer than it may: a container gets as long to start as a pod. */
export function isOverdue({ phase, since }: Progress, now: number, { startMs, stageMs }: CanaryLimits): boolean {
  return now - since > startMs + (phase === "server" ? 0 : stageMs);
}

function started({ phase, ip }: PodState): Act | undefined {
  return phase === "Running" && ip !== undefined ? { kind: "start-client", host: ip } : undefined;
}

/** The kubelet goes on trying these; nothing that a test could wait for comes of it. */
const hopeless = ["ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError"];

function late(progress: Progress, pod: PodState, now: number, limits: CanaryLimits): Act {
  const isHopeless = hopeless.includes(pod.trouble?.reason ?? "");
  if (!isHopeless && !isOverdue(progress, now, limits)) return { kind: "wait" };
  const what = progress.phase === "server" ? "server" : "client";
  return untested(`its ${what} pod ${pod.phase === "Pending" ? "stays Pending" : "does not get on"}${words(pod)}`);
}

function passed(stage: StageName, { ended }: PodState): Act {
  switch (stage) {
    case "open":
    case "after-ingress": {
      const direction = stage === "open" ? "ingress" : "egress";
      if (ended[direction] === undefined) return { kind: "deny", direction };
      return untested(`connections ended before the policy that denies ${direction} was written`);
    }
    case "ingress":
    case "egress":
      return { kind: "allow", direction: stage };
    case "after-egress":
      return {
        kind: "end",
        state: "enforced",
        because: "new connections ended under a policy and came back without it",
      };
  }
}

function failed(progress: Progress & { readonly phase: StageName }, now: number, { effectMs }: CanaryLimits): Act {
  const { phase, deniedAt } = progress;
  switch (phase) {
    case "open":
      return untested(
        "its client reached its server at no time, although none of these policies was there: another policy, a mesh or a firewall is in between",
      );
    case "ingress":
    case "egress": {
      if (now - deniedAt < effectMs)
        return untested(`the policy that denies ${phase} was written too late to judge it`);
      const because = `new connections still came through ${formatDuration(now - deniedAt)} after a policy that denies all ${phase}`;
      return { kind: "end", state: "not-enforced", because };
    }
    case "after-ingress":
    case "after-egress":
      return untested(
        "connections did not come back once the policy was gone, so that it may not have been the policy that ended them",
      );
  }
}

function untested(because: string): Act {
  return { kind: "end", state: "untested", because };
}

function during(phase: Progress["phase"]): string {
  return phase === "server" ? "at once" : `in the stage ${phase}`;
}

function words({ trouble }: PodState): string {
  if (trouble === undefined) return "";
  const { reason, message } = trouble;
  return `: ${[reason, message.slice(0, 200)].filter((word) => word !== "").join(", ")}`;
}
