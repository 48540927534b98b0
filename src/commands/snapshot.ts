import type { ChainedEntry } from "../audit/entry.ts";
import { canonicalHash } from "../policy/canonical.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { Labels } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { ContainPlan, QuarantinePlan } from "../policy/plan.ts";
import { entryId, waitsForChain } from "./journal.ts";
import type { Services } from "./services.ts";

export type Snapshot = { readonly labels: Labels; readonly warnings: readonly string[] };

/**
 * The pod's labels before the quarantine, from whichever copy matches the hash in the audit's intent entry (invariant
 * 12): the annotation on our policy, the stored plan, the audit itself. A copy that was altered is said.
 */
export async function verifiedSnapshot(
  services: Services,
  quarantine: Operation & { readonly plan: QuarantinePlan },
  policy: Manifest | undefined,
): Promise<Snapshot | Refusal> {
  const intent = await provenIntent(services, quarantine);
  if (isRefusal(intent)) return intent;
  const expected = quarantine.plan.snapshotHash;
  const annotation = parsed(policy?.metadata.annotations?.[marks.snapshot]);
  const copies = [annotation, quarantine.plan.labelsBefore, intent.detail?.["labelsBefore"]];
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

/** Why the audit does not prove that exactly this plan was confirmed; undefined where it does. */
export async function provenPlan(
  services: Services,
  contained: Operation & { readonly plan: ContainPlan },
): Promise<Refusal | undefined> {
  const { id, plan } = contained;
  const intent = await findIntent(services, contained);
  if (intent?.planHash === plan.hash) return undefined;
  if (intent === undefined && waitsForChain(contained)) return onItsWay(id);
  const { name, namespace } = plan.policy.metadata;
  const why =
    intent === undefined ? `the audit holds no intent of ${id}` : `the intent of ${id} in the audit is of another plan`;
  return refusal(
    `${why}, so what it wrote cannot be proved`,
    `Look at NetworkPolicy ${name} in namespace ${namespace}, and delete by hand what is of ${id}.`,
  );
}

function onItsWay(id: string): Refusal {
  return refusal(
    `the intent of ${id} is not in the audit chain yet`,
    "It was written while Redis was away and is on its way: wait a moment, then release it again.",
  );
}

/** The audit's intent of exactly this plan's labels, or why nothing can be proved by it. */
async function provenIntent(
  services: Services,
  quarantine: Operation & { readonly plan: QuarantinePlan },
): Promise<ChainedEntry | Refusal> {
  const { id, plan } = quarantine;
  const intent = await findIntent(services, quarantine);
  if (intent === undefined && waitsForChain(quarantine)) return onItsWay(id);
  const hash = intent?.detail?.["snapshotHash"];
  if (intent === undefined || typeof hash !== "string") {
    return refusal(
      `the audit holds no intent of ${id}, so what the labels were cannot be proved`,
      `Look at the annotation ${marks.snapshot} of NetworkPolicy ${plan.policy.metadata.name} and restore by hand.`,
    );
  }
  if (hash === plan.snapshotHash) return intent;
  return refusal(
    `the intent of ${id} in the audit is of other labels than its plan`,
    "One of them was altered: look at /np audit, restore the pod's labels by hand, then delete the policy by hand.",
  );
}

/** Of the first try that wrote one: all tries are of the same plan. */
async function findIntent(services: Services, quarantine: Operation): Promise<ChainedEntry | undefined> {
  for (let attempt = 1; attempt <= (quarantine.confirmed?.attempt ?? 1); attempt += 1) {
    const intent = await services.audit.find(entryId(quarantine, "intent", attempt));
    if (intent !== undefined) return intent;
  }
  return undefined;
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
