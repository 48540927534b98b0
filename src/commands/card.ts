import { approvalsFor } from "../policy/approval.ts";
import { standingDrift } from "../policy/drift.ts";
import { formatDuration } from "../policy/duration.ts";
import { isUndecided, type Operation, type OperationKind, type OperationState } from "../policy/operation.ts";
import type { AllowPlan, ContainPlan, LiftPlan, Plan, QuarantinePlan } from "../policy/plan.ts";
import { principalName } from "../policy/principal.ts";
import { targetKind, targetPath } from "../policy/target.ts";
import type { UndoPlan } from "../policy/undo-plan.ts";
import { agreements, overrideFields } from "./agreement-sections.ts";
import { allowSections } from "./allow-sections.ts";
import { allowanceButtons, end } from "./allowance-buttons.ts";
import { questionSections } from "./allowance-question.ts";
import { atTerminal } from "./at-terminal.ts";
import { groupSections } from "./contain-sections.ts";
import type { Outlet } from "./desk.ts";
import { driftButtons, driftSections } from "./drift-words.ts";
import { pauseButtons, pauseSections } from "./flux-pause.ts";
import { observedSections, withObserved } from "./observed-words.ts";
import { planSections } from "./plan-sections.ts";
import type { Button, Outcome, Reply, Section } from "./reply.ts";
import { standingHeadline } from "./standing-headline.ts";
import { subjectOf } from "./subject.ts";
import { undoSections } from "./undo-sections.ts";
import { verbOf } from "./verb-of.ts";

/** The durable card of an operation, from what is stored alone: the same on every replica and after every restart. */
export function operationCard(operation: Operation, now: number): Reply {
  return {
    shape: "card",
    headline: headline(operation),
    tone: toneOf(operation),
    sections: [
      facts(operation),
      ...observedSections(operation),
      ...driftSections(operation),
      ...keeping(operation),
      ...questionSections(operation),
      ...results(operation),
      ...pauseSections(operation),
      ...agreements(operation),
      ...plans(operation),
      ...times(operation),
    ],
    buttons: buttons[operation.state](operation),
    footer: footer(operation, now),
    operation: operation.id,
    outcome: outcomeOf(operation),
    ...(operation.plan !== undefined && { planHash: operation.plan.hash }),
    ...(operation.state === "running" && { interim: true }),
    atTerminal: atTerminal(operation),
  };
}

/** Shows the plan of a dry run: the same card without buttons, as a note, and nothing of it is stored. */
export async function showPreview(outlet: Outlet, operation: Operation): Promise<Reply> {
  const card = operationCard(operation, operation.origin.at);
  const reply: Reply = {
    ...card,
    shape: "note",
    headline: `Dry run: ${card.headline}`,
    buttons: [],
    operation: undefined,
    outcome: "ok",
  };
  await outlet.show(reply, undefined);
  return reply;
}

/** The card with the question whether a quarantine whose review time has passed is still needed. */
export function reviewCard(operation: Operation, now: number): Reply {
  const card = operationCard(operation, now);
  const asked: Section = {
    kind: "text",
    text: `The review time has passed. Is this ${operation.kind} still needed? It stays until somebody releases it.`,
  };
  return { ...card, sections: [asked, ...card.sections] };
}

/** `cilium, known to be enforced. Why`; of early plans the state alone. */
function engineWords({
  engine = "networkpolicy",
  enforcement,
  because,
}: Pick<Partial<QuarantinePlan>, "engine" | "because"> & Pick<QuarantinePlan, "enforcement">): string {
  const state = {
    enforced: "known to be enforced",
    "not-enforced": "NOT enforced",
    unknown: "not known to be enforced",
  };
  return `${engine}, ${state[enforcement]}${because === undefined ? "" : `. ${because}`}`;
}

function headline(operation: Operation): string {
  const doing = `${verbOf(operation.kind)} ${subjectOf(operation)}`;
  const { state, result } = operation;
  if (state === "cancelled" && result !== undefined) return result.headline;
  if (state === "in-force" || state === "done" || state === "refused" || state === "failed") {
    return standingHeadline(operation) ?? result?.headline ?? `${state}: ${doing}`;
  }
  return `${headings[state]}: ${doing}`;
}

const headings: Record<Exclude<OperationState, "in-force" | "done" | "refused" | "failed">, string> = {
  accepted: "Accepted",
  planned: "Plan",
  "awaiting-second": "Confirm once more",
  "awaiting-approval": "Waiting for approval",
  running: "Working",
  cancelled: "Cancelled",
};

/** Nothing is well while the cluster is not as it is held. */
function toneOf(operation: Operation): Reply["tone"] {
  const { tone = "neutral" } = operation.result ?? {};
  const standing = standingHeadline(operation);
  if (standing?.startsWith("NOT ISOLATED") === true) return "bad";
  const isDoubted = standing !== undefined || standingDrift(operation).length > 0;
  return isDoubted && tone === "good" ? "warning" : tone;
}

function facts(operation: Operation): Section {
  const { id, target, principal, reason, plan, lifts, state } = operation;
  const fields: (readonly [string, string])[] = [
    ["Operation", lifts === undefined ? id : `${id}, ends ${lifts}`],
    [targetKind(target), `${targetPath(target)} (cluster ${target.cluster})`],
    ["Asked by", principalName(principal)],
    ["Reason", reason === "" ? "none given" : reason],
    ...incidents(operation),
    ...overrideFields(plan),
  ];
  if (plan?.kind === "allow") fields.push(...allowFields(plan));
  if (plan !== undefined && plan.kind !== "release" && plan.kind !== "undo" && isUndecided(state)) {
    fields.push(["Policy engine", engineWords(plan)]);
  }
  return { kind: "fields", fields, mustRead: true };
}

function allowFields({ template, parameters }: AllowPlan): readonly (readonly [string, string])[] {
  const given = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return [
    ["Template", `${template.title} (${template.name}, version ${template.version}, of ${template.owner})`],
    ...(given.length === 0 ? [] : [["Parameters", given.join(" ")] as const]),
    ["Procedure", `runbooks/procedures/${template.procedure}`],
  ];
}

function incidents({ incident, incidentUnread }: Operation): readonly (readonly [string, string])[] {
  if (incident !== undefined) return [["Incident", incident]];
  return incidentUnread === undefined
    ? []
    : [["Incident", "not known: the channel's could not be read (Redis does not answer)"]];
}

/** Redis holds nothing of it: whoever reads must know where it lies, and what cannot be done meanwhile. */
function keeping({ id, kept }: Operation): readonly Section[] {
  if (kept !== true) return [];
  const text = `Redis does not answer. This operation is kept in ConfigMap bulkhead-${id} in Bulkhead's own namespace until it does. Its buttons work; releasing waits for Redis.`;
  return [{ kind: "text", text }];
}

function results(operation: Operation): readonly Section[] {
  const items = withObserved(operation.observed, operation.result?.lines ?? []);
  return items.length === 0 ? [] : [{ kind: "list", title: undefined, items }];
}

function plans({ plan, state }: Operation): readonly Section[] {
  if (plan === undefined || !isUndecided(state)) return [];
  if (plan.kind === "allow") return allowSections(plan);
  if (plan.kind === "undo") return undoSections(plan);
  return isOfGroup(plan) ? groupSections(plan) : planSections(plan);
}

function isOfGroup(plan: Exclude<Plan, AllowPlan | UndoPlan>): plan is ContainPlan | LiftPlan {
  return plan.kind === "contain" || (plan.kind === "release" && plan.mode === "objects");
}

/** When each step was done, counted from the command and from the confirmation. */
function times({ steps, state }: Operation): readonly Section[] {
  const confirmed = steps.find(({ step }) => step === "confirmed");
  if (confirmed === undefined || state === "planned") return [];
  const command = steps[0] ?? confirmed;
  const items = steps
    .filter(({ at }) => at >= confirmed.at)
    .map(
      ({ step, at }) =>
        `${step}: ${formatDuration(at - command.at)} after the command, ${formatDuration(at - confirmed.at)} after Confirm`,
    );
  return [{ kind: "list", title: "Times", items }];
}

const confirm: Button = { action: "confirm", label: "Confirm", style: "danger" };
const ask: Button = { ...confirm, label: "Ask for approval" };
const approve: Button = { action: "approve", label: "Approve", style: "danger" };
const deny: Button = { action: "deny", label: "Deny", style: undefined };
const cancel: Button = { action: "cancel", label: "Cancel", style: undefined };
const release: Button = { action: "release", label: "Release …", style: undefined };
const retry: Button = { action: "retry", label: "Try again", style: undefined };
const keep: Button = { action: "keep", label: "Still needed", style: undefined };

const buttons: Record<OperationState, (operation: Operation) => readonly Button[]> = {
  accepted: () => [],
  planned: ({ plan }) => [...beginning(plan), ...waysPast(plan), cancel],
  "awaiting-approval": () => [approve, deny, cancel],
  "awaiting-second": () => [{ action: "confirm-again", label: "Confirm again", style: "danger" }, cancel],
  running: () => [],
  "in-force": (operation) => [
    ...driftButtons(operation),
    ...(operation.kind === "allowance" ? allowanceButtons(operation) : containedButtons(operation)),
  ],
  done: pauseButtons,
  refused: () => [],
  cancelled: () => [],
  failed: (operation) =>
    operation.confirmed === undefined ? [] : [...afterFailure[operation.kind], ...pauseButtons(operation)],
};

/** What may be taken back of it. */
const afterFailure: Record<OperationKind, readonly Button[]> = {
  quarantine: [retry, release],
  lockdown: [retry, release],
  release: [retry],
  allowance: [retry, end],
  // What is left of it is planned anew.
  undo: [],
};

/** Without a write there is nothing to confirm yet. */
function beginning(plan: Plan | undefined): readonly Button[] {
  if (plan?.kind === "undo" && plan.writes.length === 0) return [];
  return [plan !== undefined && approvalsFor(plan).needed > 0 ? ask : confirm];
}

/** What a person may choose where a policy was changed again after what is to be undone. */
function waysPast(plan: Plan | undefined): readonly Button[] {
  if (plan?.kind !== "undo") return [];
  const ways = plan.stop?.ways ?? [];
  return [...(ways.includes("later-too") ? [laterToo] : []), ...(ways.includes("merge") ? [mergeThem] : [])];
}

const laterToo: Button = { action: "undo-later", label: "Undo those too", style: undefined };
const mergeThem: Button = { action: "undo-merge", label: "Merge", style: undefined };

function containedButtons({ reviewAskedAt }: Operation): readonly Button[] {
  return reviewAskedAt === undefined ? [release] : [release, keep];
}

function footer({ id, origin, reviewAt, result, state }: Operation, now: number): readonly string[] {
  const review =
    reviewAt === undefined || state !== "in-force"
      ? []
      : [`review ${reviewAt > now ? "due" : "was due"} ${new Date(reviewAt).toISOString()}`];
  const audited = result === undefined || result.audited === "" ? [] : [result.audited];
  return [`${id} asked ${new Date(origin.at).toISOString()}`, ...review, ...audited];
}

function outcomeOf(operation: Operation): Outcome {
  const { state } = operation;
  if (state === "in-force") return toneOf(operation) === "good" ? "ok" : "not-isolated";
  return outcomes[state];
}

const outcomes: Record<Exclude<OperationState, "in-force">, Outcome> = {
  accepted: "ok",
  planned: "needs-confirmation",
  "awaiting-second": "needs-confirmation",
  "awaiting-approval": "needs-approval",
  running: "ok",
  done: "ok",
  refused: "refused",
  cancelled: "ok",
  failed: "failed",
};
