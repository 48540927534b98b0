import type { Cluster, Freshness } from "../kubernetes/cluster.ts";
import { isUnanswered } from "../kubernetes/failure.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { containing } from "../policy/marks.ts";
import type { Operation } from "../policy/operation.ts";
import type { Revision } from "../policy/revision.ts";
import { selectorQuery } from "../policy/selector.ts";
import type { NamespaceTarget } from "../policy/target.ts";
import { type Undoing, undo } from "../policy/undo.ts";
import { changeOf, namespaceOf, stopOf, type UndoPlan, type UndoWrite, undoHash, widens } from "../policy/undo-plan.ts";
import { type ClusterView, readViewOf } from "./cluster-view.ts";
import { stateOf } from "./detection.ts";
import { withPauses } from "./flux-pause.ts";
import { clusterOf, type Services } from "./services.ts";
import { tracingOf } from "./tracing.ts";
import { refuseContained } from "./undo-contained.ts";
import { type UndoEffect, undoEffect } from "./undo-effect.ts";
import { gatherUndo, historyOf, type UndoFacts } from "./undo-facts.ts";
import { overriddenBy, refuseNamespaces, refuseWrites } from "./undo-guard.ts";
import { ownerLines } from "./undo-owner-lines.ts";
import { withoutDeadOwners } from "./undo-owners.ts";
import { rehearse } from "./undo-rehearsal.ts";
import { refuseLarge } from "./undo-size.ts";
import { keptWords, nothingToDo, refuseStop } from "./undo-words.ts";

/** What was asked for: which revisions, and how. */
export type UndoDrawing = Pick<UndoPlan, "asked" | "undoes" | "way" | "choices"> & {
  readonly breakGlass: boolean;
  readonly from: Freshness;
};

/** Gathers facts and decides: the plan as it would be now, or why there is none. */
export async function drawUndo(
  services: Services,
  operation: Operation,
  cluster: string,
  asked: UndoDrawing,
): Promise<UndoPlan | Refusal> {
  const history = historyOf(services);
  if (isRefusal(history)) return history;
  const drawing = { services, operation, asked, cluster: clusterOf(services, cluster).cluster };
  const gathering = () => gatherUndo(history, drawing.cluster, asked.asked);
  const facts = await tracingOf(services).span("gather", {}, gathering);
  if (isRefusal(facts)) return facts;
  const undoing = undo(facts.changes, facts.standings, asked.way);
  if (undoing.writes.length === 0) return waitingPlan(drawing, facts, undoing);
  const large = refuseLarge(undoing.writes);
  if (large !== undefined) return large;
  const { writes: owned, warnings } = await withoutDeadOwners(drawing.cluster, undoing.writes);
  const writes = await withPauses(services, { cluster, undoes: asked.undoes, stored: facts.stored }, owned);
  const no = refuseGuarded(drawing, writes) ?? (await refuseEnding(drawing.cluster, writes));
  if (no !== undefined) return no;
  const refused = await rehearse({ cluster: drawing.cluster, operation: operation.id, stored: facts.stored }, writes);
  if (refused !== undefined) return refused;
  const view = await viewOf(drawing, writes);
  const effect = await undoEffect(view, writes, () => services.wait(0));
  const held = refuseTouching(drawing, view, effect) ?? (await refuseHeld(drawing, view, effect));
  if (held !== undefined) return held;
  const owners = ownerLines(cluster, facts.stored, effect.writes);
  return planOf(drawing, { facts, undoing, effect, view, owners, warnings });
}

/** The plan as it would be drawn now. */
export async function redrawUndo(
  services: Services,
  operation: Operation,
  plan: UndoPlan,
): Promise<UndoPlan | Refusal> {
  const { asked, undoes, way, choices, breakGlass, target } = plan;
  const drawing = { asked, way, choices, breakGlass, from: "recent", ...(undoes && { undoes }) } as const;
  return drawUndo(services, operation, target.cluster, drawing);
}

type Drawing = {
  readonly services: Services;
  readonly operation: Operation;
  readonly cluster: Cluster;
  readonly asked: UndoDrawing;
};

function refuseGuarded(
  { services, operation, asked, cluster }: Drawing,
  writes: readonly UndoWrite[],
): Refusal | undefined {
  if (asked.breakGlass && asked.choices.override) {
    return refusal(
      "--override is what another person agrees to, and --break-glass goes without",
      "Choose one of the two.",
    );
  }
  return refuseWrites(services.settings, writes, guardedOf({ cluster, asked, operation }));
}

function guardedOf({ cluster, asked, operation }: Pick<Drawing, "cluster" | "asked" | "operation">) {
  return { cluster: cluster.name, choices: asked.choices, typed: operation.origin.command };
}

/** The API server would refuse as well, in words that say less. */
async function refuseEnding(cluster: Cluster, writes: readonly UndoWrite[]): Promise<Refusal | undefined> {
  const wanted = new Set(writes.filter(({ to }) => to !== undefined).map(namespaceOf));
  const namespaces = await cluster.namespaces().catch((error: unknown) => {
    if (isUnanswered(error)) throw error;
    return [];
  });
  const ending = namespaces.find(({ name, terminating }) => terminating && wanted.has(name));
  return ending === undefined
    ? undefined
    : refusal(
        `namespace ${ending.name} is being deleted, and nothing can be brought back in it`,
        "Make the namespace anew, then type it again.",
      );
}

/** The whole cluster; the namespaces concerned as fresh as is asked. */
async function viewOf(
  { services, cluster, operation, asked }: Drawing,
  writes: readonly UndoWrite[],
): Promise<ClusterView> {
  const namespaces = [...new Set(writes.map(namespaceOf))].filter((one) => one !== "");
  return readViewOf(services, cluster, { namespaces, from: asked.from, principal: operation.principal });
}

/** What is cluster-scoped has no namespace, and acts in many: where it is not known in which, it may be in all. */
function refuseTouching(drawing: Drawing, view: ClusterView, effect: UndoEffect): Refusal | undefined {
  const { settings } = drawing.services;
  return refuseNamespaces(settings, touchedBy(settings, view, effect), guardedOf(drawing));
}

function touchedBy({ protectedNamespaces }: Services["settings"], view: ClusterView, effect: UndoEffect) {
  const isWide = effect.writes.some((write) => namespaceOf(write) === "");
  return isWide && !view.isWhole ? [...new Set([...effect.touches, ...protectedNamespaces])] : effect.touches;
}

async function refuseHeld(
  { services, cluster }: Drawing,
  view: ClusterView,
  { writes }: UndoEffect,
): Promise<Refusal | undefined> {
  const policies = await cluster.listPolicies(selectorQuery(containing));
  return refuseContained(view, writes, policies, () => services.wait(0));
}

type Decided = {
  readonly facts: UndoFacts;
  readonly undoing: Undoing;
  readonly effect: UndoEffect;
  readonly view: ClusterView;
  readonly owners: readonly string[];
  readonly warnings: readonly string[];
};

function planOf(drawing: Drawing, { facts, undoing, effect, view, owners, warnings }: Decided): UndoPlan {
  const { services, asked } = drawing;
  const { writes } = effect;
  const isWide = widens(effect);
  const namespaces = [...new Set([...writes.map(namespaceOf), ...touchedBy(services.settings, view, effect)])];
  const overrides = asked.choices.override ? overriddenBy(services.settings, namespaces) : undefined;
  const needed = Math.max(isWide ? services.settings.rollbackApprovals : 0, overrides === undefined ? 0 : 1);
  const breakGlass = asked.breakGlass && needed > 0;
  const plan = {
    ...basicsOf(drawing, { undoing, writes, left: leftOf(facts, undoing) }),
    opens: effect.opens,
    opensIn: isWide ? effect.opensIn : [],
    closes: effect.closes,
    undecided: effect.undecided,
    approvals: { needed: breakGlass ? 0 : needed, from: [] },
    breakGlass,
    ...(overrides === undefined ? {} : { overrides }),
    confirmations: needsTwo(writes, breakGlass, asked) ? 2 : 1,
  } satisfies Partial<UndoPlan>;
  return {
    ...plan,
    warnings: [...warnings, ...keptWords(undoing)],
    owners,
    enforcement: stateOf(view.detection, "networkpolicy").state,
    hash: undoHash(plan, effect.digest),
  };
}

type Basics = { readonly undoing: Undoing; readonly writes: readonly UndoWrite[]; readonly left: number };

function basicsOf({ asked, cluster }: Drawing, { undoing, writes, left }: Basics) {
  const { undone, stop } = undoing;
  return {
    kind: "undo",
    version: 1,
    target: targetOf(cluster.name, undone, undoing),
    asked: asked.asked,
    ...(asked.undoes === undefined ? {} : { undoes: asked.undoes }),
    changes: undone.map(changeOf),
    ...(stop === undefined ? {} : { stop: stopOf(stop, left) }),
    way: asked.way,
    writes,
    choices: asked.choices,
  } satisfies Partial<UndoPlan>;
}

function targetOf(cluster: string, [first]: readonly Revision[], { stop, nothing }: Undoing): NamespaceTarget {
  const revision = first ?? stop?.revision ?? nothing[0];
  return { cluster, namespace: revision?.namespace ?? "" };
}

function leftOf({ changes }: UndoFacts, { undone, nothing }: Undoing): number {
  const done = new Set([...undone, ...nothing].map(({ id }) => id));
  return changes.filter(({ id }) => !done.has(id)).length;
}

/** What changes more than one policy, or every namespace, is not done by one press. */
function needsTwo(writes: readonly UndoWrite[], breakGlass: boolean, { choices }: UndoDrawing): boolean {
  return breakGlass || choices.override || writes.length > 1 || writes.some((write) => namespaceOf(write) === "");
}

/** Nothing can be written: it is done already, it cannot be, or a person has to choose how. */
function waitingPlan(drawing: Drawing, facts: UndoFacts, undoing: Undoing): UndoPlan | Refusal {
  const { stop } = undoing;
  if (stop === undefined) return nothingToDo(undoing);
  if (stop.ways.length === 0) return refuseStop(stop);
  const plan = {
    ...basicsOf(drawing, { undoing, writes: [], left: leftOf(facts, undoing) }),
    opens: [],
    opensIn: [],
    closes: [],
    undecided: [],
    approvals: { needed: 0, from: [] },
    breakGlass: false,
    confirmations: 1,
  } satisfies Partial<UndoPlan>;
  return { ...plan, warnings: [], owners: [], enforcement: "unknown", hash: undoHash(plan, "") };
}
