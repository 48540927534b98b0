import type { Cluster } from "../kubernetes/cluster.ts";
import type { Refusal } from "../policy/guard.ts";
import { containing } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import { selectorQuery } from "../policy/selector.ts";
import { namespaceOf, type UndoPlan } from "../policy/undo-plan.ts";
import { readViewOf } from "./cluster-view.ts";
import type { Services } from "./services.ts";
import { StepFailed } from "./step-failed.ts";
import { refuseContained } from "./undo-contained.ts";

/** Whoever takes it over goes on with it for so long after it was confirmed: later nobody expects it any more. */
const goesOnForMs = 60_000;

/** What may stand against an undo that has begun. */
export type Still = {
  /** Right before each write. Throws StepFailed where it may not be: what was written stays. */
  check(): Promise<void>;
  /** After all of them: who was cut off meanwhile, and is open by it. */
  held(): Promise<Refusal | undefined>;
};

type Undoing = { readonly services: Services; readonly cluster: Cluster; readonly operation: Operation };

/**
 * Containment wins (invariant 13), also over what was confirmed before it: the plan is held against whatever cuts off now. What is in
 * force is asked for each time, and worked out again only where that is not what it was.
 */
export function stillAllowed({ services, cluster, operation }: Undoing, plan: UndoPlan): Still {
  const isLate = wasLeft(operation) && services.now() - (operation.confirmed?.at ?? 0) > goesOnForMs;
  let looked = "";
  return {
    async check() {
      if (isLate) throw tooLate();
      const no = await held();
      if (no !== undefined) throw new StepFailed(no.reason, no.next);
    },
    held,
  };

  async function held(): Promise<Refusal | undefined> {
    const policies = await cluster.listPolicies(selectorQuery(containing));
    const found = policies.map(versionOf).toSorted().join();
    if (found === looked) return undefined;
    const namespaces = [...new Set(plan.writes.map(namespaceOf))].filter((one) => one !== "");
    const { principal } = operation;
    const view = await readViewOf(services, cluster, { namespaces, from: "fresh", principal });
    const no = await refuseContained(view, plan.writes, policies, () => services.wait(0));
    if (no === undefined) looked = found;
    return no;
  }
}

function wasLeft({ steps }: Operation): boolean {
  return steps.some(({ step }) => step.startsWith("taken over by"));
}

function tooLate(): StepFailed {
  return new StepFailed(
    "it was confirmed too long ago to go on now",
    "Everybody who could go on with it was away, and what was confirmed was confirmed for then.",
  );
}

function versionOf({ metadata: { uid = "", resourceVersion = "" } }: NetworkPolicy): string {
  return `${uid} ${resourceVersion}`;
}
