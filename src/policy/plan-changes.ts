import { canonicalJson } from "./canonical.ts";
import type { Plan } from "./plan.ts";

/** What became different between a plan that people were to approve and the same drawn again, as sentences; never none. */
export function planChanges(before: Plan, after: Plan): readonly string[] {
  const changes = [
    ...listChanges("It would open", opensOf(before), opensOf(after)),
    ...listChanges("It would leave open", residualOf(before), residualOf(after)),
    ...templateChanges(before, after),
    ...otherChanges(before, after),
  ];
  return changes.length === 0 ? ["The plan is another one now."] : changes;
}

function opensOf(plan: Plan): readonly string[] {
  if (plan.kind === "allow" || plan.kind === "undo") return plan.opens;
  return plan.kind === "release" ? [] : (plan.impact?.opens ?? []);
}

function residualOf(plan: Plan): readonly string[] {
  if (plan.kind !== "quarantine" && plan.kind !== "contain") return [];
  return plan.residual.map(({ policy, allows }) => `${policy}: ${allows}`);
}

function listChanges(what: string, before: readonly string[], after: readonly string[]): readonly string[] {
  const come = after.filter((one) => !before.includes(one));
  const gone = before.filter((one) => !after.includes(one));
  return [...come.map((one) => `${what} now: ${one}`), ...gone.map((one) => `${what} no longer: ${one}`)];
}

function templateChanges(before: Plan, after: Plan): readonly string[] {
  if (before.kind !== "allow" || after.kind !== "allow") return [];
  const [old, now] = [before.template, after.template];
  if (old.version === now.version && old.name === now.name) return [];
  return [`Template ${old.name} was edited: it was version ${old.version} and is ${now.version} now.`];
}

/** Told in a way of their own, or beside what the hash covers. */
const toldElsewhere = new Set([
  "version",
  "hash",
  "effects",
  "warnings",
  "notCut",
  "because",
  "pods",
  "next",
  "impact",
  "opens",
  "residual",
  "template",
]);

const names: Readonly<Record<string, string>> = {
  objects: "The NetworkPolicies that it would write",
  policy: "The NetworkPolicy that it would write",
  denies: "What it would write for the policy engine",
  exclusions: "What it would change of policies of others",
  engine: "The policy engine",
  enforcement: "Whether the policy engine is known to enforce it",
  labelsBefore: "The pod's labels",
  removes: "The labels that would come off the pod",
  leavesServices: "The Services that the pod would leave",
  lastReady: "Whether it is the last ready replica",
  controller: "The pod's controller",
  alsoCaught: "Which other workloads its selector catches",
  overrides: "The guard rails that it overrides",
  notOpened: "What would stay closed",
  approvals: "Who has to approve it",
  ttlSeconds: "How long it would stay open",
  maxSeconds: "How long it may be extended to",
};

/** Several members say the same of a pod's labels. */
const followers = new Set(["snapshotHash", "label", "strip"]);

function otherChanges(before: Plan, after: Plan): readonly string[] {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const keys = [...new Set([...old.keys(), ...now.keys()])].filter(
    (key) => !toldElsewhere.has(key) && !followers.has(key),
  );
  return keys
    .filter((key) => canonicalJson([old.get(key) ?? null]) !== canonicalJson([now.get(key) ?? null]))
    .flatMap((key) => (names[key] === undefined ? [] : [`${names[key]} changed.`]));
}
