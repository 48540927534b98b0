import { canonicalHash } from "../policy/canonical.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { marks } from "../policy/marks.ts";
import type { Labels, NetworkPolicy } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { QuarantinePlan } from "../policy/plan.ts";
import type { Services } from "./services.ts";

export type Snapshot = { readonly labels: Labels; readonly warnings: readonly string[] };

/**
 * The pod's labels before the quarantine, from whichever copy matches the hash in the audit's intent entry (invariant
 * 12): the annotation on our policy, the stored plan, the audit itself. A copy that was altered is said.
 */
export async function verifiedSnapshot(
  services: Services,
  quarantine: Operation & { readonly plan: QuarantinePlan },
  policy: NetworkPolicy | undefined,
): Promise<Snapshot | Refusal> {
  const intent = await services.audit.find(`${quarantine.id}:intent`);
  const expected = intent?.detail?.["snapshotHash"];
  if (typeof expected !== "string") {
    return refusal(
      `the audit holds no intent of ${quarantine.id}, so what the labels were cannot be proved`,
      `Look at the annotation ${marks.snapshot} of NetworkPolicy ${quarantine.plan.policy.metadata.name} and restore by hand.`,
    );
  }
  const annotation = parsed(policy?.metadata.annotations?.[marks.snapshot]);
  const copies = [annotation, quarantine.plan.labelsBefore, intent?.detail?.["labelsBefore"]];
  const good = copies.find((copy) => isLabels(copy) && canonicalHash(copy) === expected);
  if (!isLabels(good)) {
    return refusal(
      "no copy of the labels matches the hash in the audit: they were altered",
      "Restore the pod's labels by hand, then delete the policy by hand.",
    );
  }
  const altered = policy !== undefined && (annotation === undefined || canonicalHash(annotation) !== expected);
  return { labels: good, warnings: altered ? ["The snapshot on the policy was altered; the audit's is used."] : [] };
}

/** Labels from the JSON of the annotation on our policy, unverified; undefined where it holds none. */
export function parsedLabels(text: string | undefined): Labels | undefined {
  const labels = parsed(text);
  return isLabels(labels) ? labels : undefined;
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isLabels(value: unknown): value is Labels {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((one) => typeof one === "string")
  );
}
