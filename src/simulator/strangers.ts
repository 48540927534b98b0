import { podLike } from "./examples.ts";
import { encounterOf, openingCauses, tie } from "./leak-causes.ts";
import type { Leak, Subject } from "./leaks.ts";
import type { Encounter, Stranger } from "./match.ts";
import { everyPod, isSelected } from "./matcher.ts";
import type { Direction, Matcher, PodIdentity, PolicyReference, SimulatedNamespace, WireObject } from "./model.ts";
import { outcomeOf } from "./outcome.ts";
import { subtractPorts } from "./ports.ts";
import { referenceTo } from "./translate.ts";

/**
 * Rules of others that would let in, or out to, pods and nodes that are not there now: a look at connections finds
 * nothing of them. Pods are tried that the rules themselves describe. `found`: leaks that are told already; a rule that
 * one of them names is not told again.
 */
export function absentLeaks(
  subjects: readonly Subject[],
  ours: readonly WireObject[],
  found: readonly Leak[],
): readonly Leak[] {
  const told = new Set(found.map((leak) => keyOf(leak.direction, leak.policy, leak.rule)));
  const own = new Set(ours.map((object) => nameOf(referenceTo(object))));
  const perhapsTold = subjects.flatMap((subject) =>
    directions.flatMap((direction) =>
      strangersTo(subject, direction)
        .filter((peer) => !isContainedToo(subject, direction, peer, own))
        .flatMap((peer) => leaksTo(subject, direction, peer)),
    ),
  );
  return perhapsTold.filter(({ direction, policy, rule }) => {
    const key = keyOf(direction, policy, rule);
    if (told.has(key) || (policy !== undefined && own.has(nameOf(policy)))) return false;
    told.add(key);
    return true;
  });
}

/**
 * Whether ours would contain such a pod as well, as a lockdown does every pod of its namespace, and no other policy on it
 * lets it do its part: then nothing can come of it.
 */
function isContainedToo(
  { actual, ideal }: Subject,
  direction: Direction,
  peer: Absent,
  own: ReadonlySet<string>,
): boolean {
  const identity = peer.kind === "stranger" ? peer.identity : undefined;
  if (identity === undefined || !ideal.policies.some(({ subject }) => isSelected(subject, identity))) return false;
  const theirs = direction === "ingress" ? "egress" : "ingress";
  return actual.policies
    .filter(({ reference, subject }) => !own.has(nameOf(reference)) && isSelected(subject, identity))
    .every((policy) => policy[theirs].every(({ action }) => action !== "allow"));
}

const directions: readonly Direction[] = ["ingress", "egress"];

function keyOf(direction: Direction, policy: PolicyReference | undefined, rule: string | undefined): string {
  return `${direction} ${policy && nameOf(policy)} ${rule}`;
}

function nameOf({ kind, namespace, name }: PolicyReference): string {
  return JSON.stringify([kind, namespace, name]);
}

/** A node is another than the subject's own, with which it may always talk. */
type Absent = Stranger | { readonly kind: "node"; readonly addresses: readonly []; readonly own: false };

/** One for each selector of a rule that allows anything, ours among them: what it exempts may be open by another. */
function strangersTo(subject: Subject, direction: Direction): readonly Absent[] {
  const { actual, ideal, end, endInIdeal } = subject;
  if (end.podClass === undefined) return [];
  const layers = [
    ...actual.layersOf(direction, end.podClass),
    ...(endInIdeal.podClass === undefined ? [] : ideal.layersOf(direction, endInIdeal.podClass)),
  ];
  const allows = layers.flatMap(({ groups }) => groups.flat(2)).filter(({ rule }) => rule.action === "allow");
  const terms = allows.flatMap(({ rule: { peers } }) => (peers === "all" ? [] : peers));
  const matchers = terms.flatMap(({ on, pods }) => (on.includes("pod") && pods !== undefined ? [pods] : []));
  const different = [...new Map([everyPod, ...matchers].map((matcher) => [matcher.key, matcher])).values()];
  return [
    ...different.flatMap((matcher) => strangersLike(matcher, actual.snapshot.namespaces)),
    { kind: "node", addresses: [], own: false },
  ];
}

function strangersLike(matcher: Matcher, namespaces: readonly SimulatedNamespace[]): readonly Stranger[] {
  const like = podsLike(matcher, namespaces) ?? [undefined];
  return like.map((identity) => ({ kind: "stranger", identity, addresses: [] }));
}

/**
 * Pods that the matcher selects, by its example: in some of the namespaces that there are, and in one that is not. None
 * where it can select none; undefined where no example was worked out.
 */
function podsLike(matcher: Matcher, known: readonly SimulatedNamespace[]): readonly PodIdentity[] | undefined {
  const { namespace, namespaces, example } = matcher;
  if (example === undefined) return undefined;
  const made = podLike(example, namespace);
  const there = known.filter((each) => (namespace ?? each.name) === each.name && namespaces?.(each) !== false);
  const isThere = known.some(({ name }) => name === made.namespace.name);
  const like = there.slice(0, mostNamespaces).map((each) => ({ ...made, namespace: each }));
  return [...like, ...(isThere ? [] : [made])].filter((pod) => isSelected(matcher, pod));
}

/** Of the namespaces that a selector selects, so many are tried: it seldom matters which. */
const mostNamespaces = 10;

function leaksTo(subject: Subject, direction: Direction, peer: Absent): readonly Leak[] {
  const { actual, end, pods } = subject;
  if (end.podClass === undefined) return [];
  const encounter = encounterOf(subject, direction, peer, []);
  const { allow, deny } = outcomeOf(actual.layersOf(direction, end.podClass), encounter);
  const open = subtractPorts(allow, wasToStay(subject, direction, encounter));
  if (open.length === 0) return [];
  const { opening, maybe } = openingCauses(subject, direction, encounter, open);
  const absent: Leak["end"] =
    peer.kind === "node" ? { kind: "absent nodes" } : { kind: "absent pods", like: peer.identity };
  return opening.map(({ policy, rule, ports, maybe: own }) => {
    const sure = subtractPorts(ports, deny);
    const common = { subjects: pods, direction, end: absent, policy, rule };
    return sure.length > 0
      ? { ...common, ports: sure, lets: sure, sure: true, maybe: undefined }
      : { ...common, ports, lets: ports, sure: false, maybe: own ?? maybe ?? tie };
  });
}

function wasToStay({ ideal, endInIdeal }: Subject, direction: Direction, encounter: Encounter) {
  const layers = endInIdeal.podClass === undefined ? [] : ideal.layersOf(direction, endInIdeal.podClass);
  return layers.length === 0 ? [] : outcomeOf(layers, encounter).allow;
}
