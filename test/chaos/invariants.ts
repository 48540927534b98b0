import { setTimeout as delay } from "node:timers/promises";
import type { EntryKind } from "../../src/audit/entry.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Operation } from "../../src/policy/operation.ts";
import { type Evidence, gather, type Sources, type Stored } from "./evidence.ts";
import { brokenMoments, repeatedEffects } from "./moments.ts";

/**
 * Reads everything and judges it; what is found is looked for again half a second later, since reads of a moving world
 * do not fit together. `settled`: nothing is under way.
 */
export async function check(sources: Sources, settled: boolean): Promise<readonly string[]> {
  const found = violations(await gather(sources, settled));
  if (found.length === 0) return [];
  await delay(500);
  const again = new Set(violations(await gather(sources, settled)));
  return found.filter((one) => again.has(one));
}

/** What is wrong, each as one sentence that names the operation or the object; empty where every invariant holds. */
function violations(evidence: Evidence): readonly string[] {
  return rules.flatMap((rule) => rule(evidence));
}

type Rule = (evidence: Evidence) => readonly string[];

/** Every object of ours has an operation. */
const owned: Rule = ({ policies, pods, operations }) => {
  const ids = new Set(operations.map(({ id }) => id));
  const ownerless = (kind: string, label: string, objects: readonly Stored[]) =>
    objects
      .filter(({ metadata }) => !ids.has(metadata.labels?.[label] ?? ""))
      .map(({ metadata }) => `${kind} ${metadata.namespace}/${metadata.name} bears ${label} of no known operation`);
  return [
    ...ownerless("NetworkPolicy", marks.operation, policies),
    ...ownerless("Pod", marks.quarantine, pods.filter(isMarked)),
  ];
};

/** States in which nothing of an operation may be in the cluster. A failed one may have left something, and says so. */
const without: readonly Operation["state"][] = [
  "accepted",
  "planned",
  "awaiting-second",
  "refused",
  "cancelled",
  "done",
];

/** What has ended, or has not begun, has nothing in the cluster. */
const nothingLeft: Rule = ({ policies, pods, operations }) =>
  operations
    .filter(({ kind, state }) => kind === "quarantine" && without.includes(state))
    .flatMap(({ id, state }) => [
      ...policies
        .filter(({ metadata }) => metadata.labels?.[marks.operation] === id)
        .map(({ metadata }) => `${id} is ${state}, and NetworkPolicy ${metadata.name} is still there`),
      ...pods
        .filter(({ metadata }) => metadata.labels?.[marks.quarantine] === id)
        .map(({ metadata }) => `${id} is ${state}, and pod ${metadata.name} still bears its label`),
    ]);

/** A quarantine that is in force has its policy, and its pod bears the label and none of those that came off. */
const inForce: Rule = (evidence) => {
  const { policies, pods, operations } = evidence;
  return operations.flatMap(({ id, state, plan }) => {
    if (state !== "in-force" || plan?.kind !== "quarantine" || isBeingReleased(evidence, id)) return [];
    const pod = pods.find(({ metadata }) => metadata.uid === plan.podUid);
    if (pod === undefined) return [];
    const labels = pod.metadata.labels ?? {};
    const back = plan.removes.filter((key) => Object.hasOwn(labels, key));
    return [
      ...(policies.some(({ metadata }) => metadata.labels?.[marks.operation] === id)
        ? []
        : [`${id} is in force without its NetworkPolicy`]),
      ...(labels[marks.quarantine] === id ? [] : [`${id} is in force, and its pod does not bear its label`]),
      ...(back.length === 0 ? [] : [`${id} is in force, and its pod bears ${back.join(", ")}`]),
    ];
  });
};

/** Where Redis was away at the end of a release, its quarantine learns of it a little later. */
function isBeingReleased({ operations, settled }: Evidence, quarantine: string): boolean {
  const under: readonly Operation["state"][] = settled ? ["running", "failed"] : ["running", "failed", "done"];
  return operations.some(
    ({ plan, state }) => plan?.kind === "release" && plan.lifts === quarantine && under.includes(state),
  );
}

/** When everything has come to rest, nothing is half done, and everything is in Redis. */
const atRest: Rule = ({ operations, kept, settled }) =>
  !settled
    ? []
    : [
        ...operations
          .filter(({ state }) => state === "running" || state === "accepted")
          .map(({ id, state }) => `${id} is still ${state}, though nothing is under way`),
        ...kept.operations.map(({ id }) => `${id} still lies in a ConfigMap, though nothing is under way`),
      ];

/**
 * Whatever was carried out has one intent a try, and one outcome a try once it has ended; a takeover that came to another
 * end than its predecessor had chained adds its own.
 */
const chained: Rule = ({ operations, later, kept, settled }) => {
  const count = (id: string, kind: EntryKind) =>
    later.filter((entry) => entry.operation === id && entry.kind === kind && !entry.id.includes(":again:")).length;
  /** What lies beside the chain is to be replayed; at rest nothing may lie there. */
  const missing = (id: string, kind: EntryKind) => count(id, kind) === 0 && (settled || !kept.holds(`${id}:${kind}`));
  return operations.flatMap((operation) => {
    const { id, state, confirmed } = operation;
    const kinds = ["intent", "outcome"] as const;
    const tooMany = kinds.filter((kind) => count(id, kind) > (confirmed?.attempt ?? 1));
    const needed = hasRun(operation) && (state === "in-force" || state === "done") ? kinds : [];
    return [
      ...tooMany.map((kind) => `${id} has ${count(id, kind)} entries of kind ${kind} in the chain`),
      ...needed.filter((kind) => missing(id, kind)).map((kind) => `${id} is ${state} without an ${kind} in the chain`),
    ];
  });
};

function hasRun({ steps }: Operation): boolean {
  return steps.some(({ step }) => step === "confirmed");
}

/** Entries belong to operations that are known. */
const known: Rule = ({ operations, entries }) => {
  const ids = new Set(operations.map(({ id }) => id));
  return entries
    .filter(({ operation }) => operation !== undefined && !ids.has(operation))
    .map(({ id }) => `the chain's entry ${id} is of an operation that is not known`);
};

const intact: Rule = ({ chain }) => (chain.ok ? [] : [`the chain is broken: ${chain.why}`]);

/** No write before its intent; after a quarantine's outcome only a release, with an intent of its own, writes again. */
const intentFirst: Rule = ({ writes, entries, settled }) =>
  writes.flatMap(({ quarantine, verb, path, at, intent, unmeant }) => {
    const written = `${verb} ${path} for ${quarantine}`;
    const before = entries.some((entry) => entry.id === `${quarantine}:intent` && Date.parse(entry.at) <= at);
    if (intent === false || (intent === undefined && settled && !before))
      return [`${written} came before its intent was durable`];
    return unmeant ? [`${written} came after its outcome, and no release meant it`] : [];
  });

const rules: readonly Rule[] = [
  owned,
  nothingLeft,
  inForce,
  atRest,
  chained,
  known,
  intact,
  intentFirst,
  ({ recorded: namespaces }) => namespaces.flatMap(brokenMoments),
  ({ recorded: namespaces }) => namespaces.flatMap(repeatedEffects),
];

function isMarked({ metadata }: Stored): boolean {
  return metadata.labels?.[marks.quarantine] !== undefined;
}
