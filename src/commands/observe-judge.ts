import type { Sighting } from "../flows/sighting.ts";
import type { NetworkPolicy, Pod } from "../policy/objects.ts";
import { type HeldPod, observationOf } from "../policy/observation.ts";
import type { Operation } from "../policy/operation.ts";
import { ownObjectsOf } from "./deny-objects.ts";
import { createOpenBy, type Ground, type OpenBy } from "./open-by.ts";

/** What a sighting counts as for an operation: the name of a counter (see countersOf); undefined: for nothing. */
export type Judge = (sighting: Sighting) => Counter | undefined;

/**
 * What got through, and what used an allowance, is counted by who told it as well: both ends may tell of one connection.
 * `perhaps` it began before.
 */
export type Counter = "denied" | `${"leak" | "perhaps" | "used"}:${Teller}`;

type Teller = "ingress" | "egress" | "unsaid";

/** Clocks of nodes are off by less, as long as anything of a cluster works. */
const marginMs = 5_000;

/** What is there of an operation: its pods, the policies of its namespace, and whom the cluster has. */
export type Scene = {
  readonly pods: readonly Pod[];
  readonly policies: readonly NetworkPolicy[];
  readonly ground: Omit<Ground, "policies">;
};

/** Judges what is seen of an operation in force by its pods and the policies of which its card tells. */
export function judgeOf(operation: Operation, { pods, policies, ground }: Scene): Judge {
  const { plan, result } = operation;
  if (plan?.kind === "allow") return judgeUsed(operation, createOpenBy({ ...ground, policies: plan.objects }));
  if (plan?.kind !== "quarantine" && plan?.kind !== "contain") return () => undefined;
  const named = new Set((result?.leaves ?? plan.residual).map(({ policy }) => policy));
  const left = policies.filter(({ metadata }) => named.has(metadata.name));
  const isOpen = createOpenBy({ ...ground, policies: [...ownObjectsOf(plan), ...left] });
  // What policies of another kind leave open is on the card in words alone.
  const isWhole = left.length === named.size;
  return judgeHeld(operation, pods, (...asked) => isOpen(...asked) || (isWhole ? isOpen(...asked) : undefined));
}

function judgeHeld(operation: Operation, pods: readonly Pod[], isOpen: OpenBy): Judge {
  const held = new Map(pods.map((pod) => [pod.uid, heldPod(pod)]));
  const realisedMs = realisedAt(operation);
  return (sighting) => {
    const isListed = (_flow: unknown, _pod: unknown, direction: "ingress" | "egress") => isOpen(sighting, direction);
    const found = observationOf(sighting, { pods: held, realisedMs, marginMs, isListed });
    if (found.kind === "denied") return "denied";
    return found.kind === "leak" ? `${found.sure ? "leak" : "perhaps"}:${tellerOf(sighting)}` : undefined;
  };
}

function heldPod({ uid, podIPs, hostIP }: Pod): HeldPod {
  return { uid, addresses: podIPs, nodeAddress: hostIP };
}

/** The last step after which the engine, or the time that it was given, says that it is in force. */
function realisedAt({ steps, confirmed, origin }: Operation): number {
  const step = steps.findLast(({ step: name }) => name === "realised" || name === "settled");
  return step?.at ?? steps.at(-1)?.at ?? confirmed?.at ?? origin.at;
}

/** New connections on the path that it opens, whatever else would open it too. */
function judgeUsed(operation: Operation, isOpen: OpenBy): Judge {
  const beganMs = operation.confirmed?.at ?? operation.origin.at;
  return (sighting) => {
    const { verdict, isReply, isNew, fromMs, direction } = sighting.record;
    const isTold = verdict.kind === "forwarded" && isReply !== true && isNew !== false && fromMs > beganMs;
    if (!isTold || sighting.aheadMs > marginMs) return undefined;
    const sides = direction === undefined ? (["ingress", "egress"] as const) : [direction];
    return sides.some((side) => isOpen(sighting, side) === true) ? `used:${tellerOf(sighting)}` : undefined;
  };
}

function tellerOf({ record }: Sighting): Teller {
  return record.direction ?? "unsaid";
}
