import { canonicalHash } from "../policy/canonical.ts";
import { namespaceOf, type UndoWrite } from "../policy/undo-plan.ts";
import { change } from "../simulator/change.ts";
import { compile, type Simulator } from "../simulator/compile.ts";
import { type DeltaRow, delta } from "../simulator/delta.ts";
import { portsByProtocol, subtractPorts } from "../simulator/ports.ts";
import {
  digestOf,
  type Effect,
  notUnderstood,
  type PolicyChange,
  pairsIn,
  type Sides,
  sentences,
  simulated,
  unreadWords,
  withAbsent,
} from "./change-effect.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Pair } from "./delta-words.ts";
import { judgedBy } from "./detection.ts";
import { type Part, partsIn } from "./undo-part.ts";

/** What the writes of an undo do, one after the other. */
export type UndoEffect = Effect & {
  /** In the order in which they are to be written. */
  readonly writes: readonly UndoWrite[];
  /** Namespaces whose writes take part in what opens, or may; the empty name is for what is cluster-scoped. */
  readonly opensIn: readonly string[];
  /** Namespaces in which what is cluster-scoped changes what pods can reach, or what can reach them. */
  readonly touches: readonly string[];
};

/** Lets others have their turn: Slack waits 3 s for an acknowledgement. */
type Pause = () => Promise<unknown>;

/**
 * The effect of all together, and of what lies in between: an undo may stop after any of its writes, and then stays so. What
 * closes is written first.
 */
export async function undoEffect(view: ClusterView, asked: readonly UndoWrite[], pause: Pause): Promise<UndoEffect> {
  const now = withAbsent(compile(view.snapshot, judgedBy(view.detection)), asked);
  const { writes, sides, whole, between, passing } = await stepped(now, asked, pause);
  const notDecided = [...notUnderstood(sides), ...unreadWords(view)];
  const facts = { writes, part: partsIn(sides), rows: [...whole, ...between] };
  return {
    writes,
    opens: [...sentences(pairsIn(whole, "opened"), "opened", { most }), ...passingWords(passing.opened, "opened")],
    closes: sentences(pairsIn(whole, "closed"), "closed"),
    undecided: [
      ...notDecided,
      ...sentences(pairsIn(whole, "unsure"), "unsure", { most }),
      ...passingWords(passing.unsure, "unsure"),
    ],
    opensIn: notDecided.length > 0 ? namespacesOf(writes) : openingNamespaces(facts),
    touches: touchedBy(facts),
    digest: canonicalHash([digestOf(whole), keysOf(passing.opened), keysOf(passing.unsure)]),
  };
}

type Stepped = ReturnType<typeof passedThrough> extends Promise<infer T> ? T : never;

/** What each does by itself takes long to work out, and decides the order only where another order may be better. */
async function stepped(now: Simulator, asked: readonly UndoWrite[], pause: Pause): Promise<Stepped> {
  const { before, after } = simulated(now, asked);
  const plain = asked.toSorted((a, b) => rankOf(a, { before, after }) - rankOf(b, { before, after }));
  const first = await passedThrough(now, plain, pause);
  if (first.passing.opened.length + first.passing.unsure.length === 0) return first;
  return passedThrough(now, await closingFirst(before, plain, pause), pause);
}

/**
 * What is opened after some of the writes was opened by one of them, beside what was so before it; of those alone all that differs
 * from the beginning is worked out.
 */
async function passedThrough(now: Simulator, writes: readonly UndoWrite[], pause: Pause) {
  const { states, sides } = statesThrough(now, writes);
  const whole = delta(sides.before, sides.after, new Map());
  const passingOf = passingBeside(whole);
  const between: DeltaRow[] = [];
  for (const [index, state] of states.slice(0, -1).entries()) {
    await pause();
    const step = delta(states[index - 1] ?? sides.before, state, new Map());
    const { opened, unsure } = passingOf(step);
    if (opened.length + unsure.length > 0) between.push(...delta(sides.before, state, new Map()));
  }
  return { writes, sides, whole, between, passing: passingOf(between) };
}

/** The cluster after each of the changes, and before and after all of them. */
export function statesThrough(now: Simulator, changes: readonly PolicyChange[]) {
  const { before, from, to } = simulated(now, changes);
  const states: Simulator[] = [];
  for (const one of changes) states.push(changed(states.at(-1) ?? before, one));
  return { states, sides: { before, after: states.at(-1) ?? before, from, to } };
}

function changed(before: Simulator, { from, to }: PolicyChange): Simulator {
  return change(before, { removed: from === undefined ? [] : [from], added: to === undefined ? [] : [to] });
}

/** What opens nothing by itself before what does; the rest of the order stays. */
async function closingFirst(
  before: Simulator,
  writes: readonly UndoWrite[],
  pause: Pause,
): Promise<readonly UndoWrite[]> {
  const opening = new Set<UndoWrite>();
  for (const write of writes) {
    await pause();
    const after = changed(before, write);
    const isKept = isReferredTo(write, { before, after });
    if (isKept ? write.to === undefined : delta(before, after, new Map()).some(mayOpen)) opening.add(write);
  }
  return [...writes.filter((write) => !opening.has(write)), ...writes.filter((write) => opening.has(write))];
}

/**
 * What is made before what changes, and what goes last: a policy that denies is there before another of its sort goes. What
 * policies refer to is there before them and goes after them.
 */
function rankOf(write: UndoWrite, sides: Pick<Sides, "before" | "after">): number {
  const { from, to } = write;
  if (isReferredTo(write, sides)) return to === undefined ? 3 : -1;
  return from === undefined ? 0 : to === undefined ? 2 : 1;
}

function isReferredTo({ from, to }: UndoWrite, { before, after }: Pick<Sides, "before" | "after">): boolean {
  const [image, { parts }] = to === undefined ? [from, before] : [to, after];
  const translated = image && parts.translations.byObject.get(image);
  return translated !== undefined && translated.policies.length === 0;
}

function mayOpen({ opened, unsure }: DeltaRow): boolean {
  return opened.length + unsure.length > 0;
}

type Passing = { readonly opened: readonly Pair[]; readonly unsure: readonly Pair[] };

/** Tells what of some rows is open, or may be, and is not after all of the writes. */
function passingBeside(whole: readonly DeltaRow[]): (rows: readonly DeltaRow[]) => Passing {
  const [opened, unsure] = [pairsIn(whole, "opened"), pairsIn(whole, "unsure")];
  return (rows) => ({
    opened: without(pairsIn(rows, "opened"), opened),
    unsure: without(without(pairsIn(rows, "unsure"), opened), unsure),
  });
}

function without(pairs: readonly Pair[], others: readonly Pair[]): readonly Pair[] {
  if (pairs.length === 0) return pairs;
  const known = new Map(others.map((pair) => [keyOf(pair), pair.ports]));
  return pairs.flatMap((pair) => {
    const ports = subtractPorts(pair.ports, known.get(keyOf(pair)) ?? []);
    return ports.length === 0 ? [] : [{ ...pair, ports }];
  });
}

function keyOf({ from, to }: Pair): string {
  return JSON.stringify([from.name, to.name]);
}

function keysOf(pairs: readonly Pair[]): readonly string[] {
  return pairs.map((pair) => `${keyOf(pair)} ${JSON.stringify(portsByProtocol(pair.ports))}`).toSorted();
}

/** Of each sort of what opens, since people agree to it. Where Slack has no room for all of them, a terminal shows them. */
const most = 100;

function passingWords(pairs: readonly Pair[], sort: "opened" | "unsure"): readonly string[] {
  return sentences(pairs, sort, { most }).map(
    (text) => `While it is written, and for good if it stops in the middle: ${text}`,
  );
}

type Facts = { readonly writes: readonly UndoWrite[]; readonly part: Part; readonly rows: readonly DeltaRow[] };

function namespacesOf(writes: readonly UndoWrite[]): readonly string[] {
  return [...new Set(writes.map(namespaceOf))];
}

/** Where nobody can say whose writes open it, all of them do. */
function openingNamespaces({ writes, part, rows }: Facts): readonly string[] {
  const opening = rows.filter(mayOpen).map((row) => writes.filter((write) => part(write, row).length > 0));
  return namespacesOf(opening.some(({ length }) => length === 0) ? writes : [...new Set(opening.flat())]);
}

function touchedBy({ writes, part, rows }: Facts): readonly string[] {
  const wide = writes.filter((write) => namespaceOf(write) === "");
  const pods = wide.flatMap((write) => rows.flatMap((row) => part(write, row)));
  return [...new Set(pods.map(({ namespace }) => namespace))].toSorted();
}
