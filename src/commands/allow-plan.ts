import { allowObjects } from "../engines/allow.ts";
import { allowanceObjectName } from "../policy/allowance.ts";
import type { BoundTemplate } from "../policy/bind-template.ts";
import { canonicalHash, canonicalJson } from "../policy/canonical.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { marks } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import type { Opening } from "../policy/openings.ts";
import type { Operation } from "../policy/operation.ts";
import type { AllowPlan } from "../policy/plan.ts";
import type { NamespaceTarget } from "../policy/target.ts";
import type { Ttl } from "../policy/template.ts";
import { change } from "../simulator/change.ts";
import { compile, type Simulator } from "../simulator/compile.ts";
import { containedEnds, withoutPods } from "./allow-contained.ts";
import { closedWords, openedWords } from "./allow-delta.ts";
import { stillBlocked } from "./allow-paths.ts";
import type { ClusterView } from "./cluster-view.ts";
import { isAmong } from "./deny-objects.ts";
import { judgedBy, stateOf } from "./detection.ts";
import { marksFor } from "./marks-for.ts";

/** Everything that the decision looks at. */
export type AllowFacts = {
  readonly operation: Pick<Operation, "id" | "kind" | "principal" | "reason" | "incident">;
  readonly target: NamespaceTarget;
  readonly bound: BoundTemplate;
  readonly openings: readonly Opening[];
  readonly ttl: Ttl;
  /** Nobody else is asked, and somebody reviews it afterwards. */
  readonly breakGlass: boolean;
  /** NetworkPolicies of the namespaces that the openings name. */
  readonly policies: readonly NetworkPolicy[];
  /** The whole cluster. */
  readonly view: ClusterView;
  readonly warnings: readonly string[];
};

/**
 * The plan of an allowance, or the reason why there is none: it would close something, would not open what was asked for,
 * or would open what was cut off. Pure.
 */
export function planAllow(facts: AllowFacts): AllowPlan | Refusal {
  const { openings, view } = facts;
  const contained = containedEnds(openings, facts.policies, view.snapshot.pods);
  if (contained !== undefined) return contained;
  const isOwn = isAmong(objectsFor(facts));
  const snapshot = { ...view.snapshot, policies: view.snapshot.policies.filter((policy) => !isOwn(policy)) };
  const before = compile(snapshot, judgedBy(view.detection));
  const isolated = objectsFor(facts).filter((object) => closesNothing(before, [object]));
  const objects = renumbered(facts, isolated);
  if (objects.length === 0) return refuseUseless(facts, before);
  const after = change(before, { added: objects });
  const closes = closedWords(before, after);
  if (closes.length > 0) return refuseClosing(closes);
  const [wide, exact] = [openings.filter(isToAnything), openings.filter((one) => !isToAnything(one))];
  const { denied, undecided } = stillBlocked(after, exact);
  if (denied.length > 0) return refuseBlocked(denied);
  const stays = stillBlocked(after, wide);
  const opens = openedWords(before, after);
  if (opens.length + undecided.length === 0) return refuseOpened(facts);
  const perhaps = [...undecided, ...stays.undecided].map((why) => `Not certain: ${why}`);
  const closed = stays.denied.map((why) => `Not all of it opens: ${why}`);
  const warnings = [...facts.warnings, ...closed, ...perhaps];
  return planOf({ ...facts, warnings }, objects, opens.length > 0 ? opens : perhaps);
}

/** Whoever opens everything does not mean each single thing. */
function isToAnything({ from, to }: Opening): boolean {
  return from.kind === "anything" || to.kind === "anything";
}

function planOf(
  { target, bound, openings, ttl, breakGlass, view, warnings }: AllowFacts,
  objects: readonly NetworkPolicy[],
  opens: readonly string[],
): AllowPlan {
  const { name, title, version, owner, procedure, approvals, review } = bound.template;
  const plan = {
    kind: "allow",
    version: 1,
    target,
    template: { name, title, version, owner, procedure },
    parameters: bound.parameters,
    ...ttl,
    objects,
    openings,
    opens,
    warnings: [
      ...warnings,
      ...view.unread.map(({ what, why }) => `Not read, and so not in this plan: ${what} (${why}).`),
    ],
    approvals: breakGlass ? { needed: 0, from: [] } : { needed: approvals.count, from: approvals.from },
    breakGlass,
    review: breakGlass ? "break-glass" : review ? "its template asks for that" : undefined,
    enforcement: stateOf(view.detection, "networkpolicy").state,
    confirmations: breakGlass || bound.template.wide ? 2 : 1,
  } satisfies Omit<AllowPlan, "hash">;
  return { ...plan, hash: planHash(plan) };
}

/** SHA-256 over what is written, for how long, who must agree and what opens by workload; not over names of pods. */
function planHash({ warnings: _w, enforcement: _e, ...plan }: Omit<AllowPlan, "hash">): string {
  return canonicalHash({
    ...plan,
    objects: plan.objects.map(({ metadata: { namespace, name }, spec }) => ({ namespace, name, spec })),
  });
}

/** All halves that the openings have, as they would be written. */
function objectsFor(facts: AllowFacts): readonly NetworkPolicy[] {
  return allowObjects({ openings: facts.openings, halves: "all", metadata: (index) => metadataOf(facts, index) });
}

/** Those that are left, numbered anew from 0: the names of two plans of one operation are the same where the plans are. */
function renumbered(facts: AllowFacts, objects: readonly NetworkPolicy[]): readonly NetworkPolicy[] {
  return objects.map((object, index) => ({
    ...object,
    metadata: { ...metadataOf(facts, index), namespace: object.metadata.namespace },
  }));
}

function metadataOf(
  { operation, bound, ttl }: AllowFacts,
  index: number,
): Omit<NetworkPolicy["metadata"], "namespace"> {
  const { template, parameters } = bound;
  return {
    name: allowanceObjectName({ operation: operation.id, ...ttl, index }),
    ...marksFor(operation, {
      [marks.ttlSeconds]: String(ttl.ttlSeconds),
      [marks.template]: `${template.name}@${template.version}`,
      [marks.parameters]: canonicalJson(parameters),
    }),
  };
}

/**
 * A side that nothing isolates is open already, and the first policy there would isolate it: that half is left out. One
 * that is isolated stays as it is but for what is added.
 */
function closesNothing(before: Simulator, added: readonly NetworkPolicy[]): boolean {
  return closedWords(before, change(before, { added })).length === 0;
}

function refuseClosing(closes: readonly string[]): Refusal {
  return refusal(
    `it would close something: ${closes.slice(0, 3).join(" ")}`,
    "The first policy on a pod isolates it. Choose a template that opens one direction only, or ask the template's owner.",
  );
}

function refuseBlocked([first = "", ...more]: readonly string[]): Refusal {
  return refusal(
    `the path would still be closed: ${first}${more.length === 0 ? "" : ` And ${more.length} more.`}`,
    "Bulkhead opens by NetworkPolicy, and what denies by an API that outranks it has to be changed there. /np explain shows all of it.",
  );
}

const openAlready = refusal(
  "that is open already, by all policies together",
  "Nothing has to be opened. /np explain shows why.",
);

/** Of what has no pods nothing was simulated, so that nothing is claimed. */
function refuseOpened({ openings, view }: AllowFacts): Refusal {
  const [missing] = withoutPods(openings, view.snapshot.pods);
  if (missing === undefined) return openAlready;
  return refusal(
    `nothing that is there now opens by it: ${missing.replace(/\.$/, "")}`,
    "Type it again when there is one.",
  );
}

/** No half of it could be written without closing something: nothing isolates its sides, or not all of their pods. */
function refuseUseless(facts: AllowFacts, before: Simulator): Refusal {
  const { openings } = facts;
  if (stillBlocked(before, openings).denied.length === 0) return refuseOpened(facts);
  const { denied } = stillBlocked(change(before, { added: objectsFor(facts) }), openings);
  if (denied.length > 0) return refuseBlocked(denied);
  return refusal(
    "some of its pods are isolated and some are not, so that a policy that opens it for the one closes something for the others",
    "/np explain shows which policies select them. Name a workload whose pods are all alike.",
  );
}
