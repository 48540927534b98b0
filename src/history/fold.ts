import type { Author, PolicyKey, RawPolicy } from "../policy/revision.ts";
import type { Sight } from "../policy/sight.ts";
import { type End, formOf, type Life, type Lineage, orderOf, type Point } from "./lineage.ts";
import { inOrder } from "./order.ts";

/** The lineage with what the sight adds to it. The same sight a second time, or an older one, takes nothing away. */
export function fold(lineage: Lineage, sight: Sight, authors: readonly Author[]): Lineage {
  const lives = sight.kind === "there" ? withForms(lineage, sight, authors) : withEnd(lineage, sight, authors);
  return lives === lineage.lives ? lineage : { ...lineage, lives: inOrder(lives) };
}

/** One of which nothing is known. */
export function emptyLineage(key: PolicyKey): Lineage {
  return { key, floor: -1, lives: [], notes: {} };
}

/** Which policy a sight is of. */
export function keyOf({ cluster, object }: Sight): PolicyKey {
  const { apiVersion, kind, metadata } = object;
  return { cluster, apiVersion, kind, namespace: metadata.namespace, name: metadata.name };
}

type There = Extract<Sight, { kind: "there" }>;
type Gone = Extract<Sight, { kind: "gone" }>;

function withForms({ lives, floor }: Lineage, sight: There, authors: readonly Author[]): readonly Life[] {
  const { object, previous, continuous, at } = sight;
  const follows = continuous && (previous === undefined || previous.metadata.uid === object.metadata.uid);
  const after = follows ? (previous?.metadata.resourceVersion ?? "nothing") : undefined;
  const before = previous === undefined ? lives : withPoint(lives, previous, { at, floor });
  return withPoint(before, object, { at, floor, after, authors });
}

type Seen = {
  readonly at: number;
  readonly floor: number;
  readonly after?: string | undefined;
  readonly authors?: readonly Author[];
};

function withPoint(lives: readonly Life[], object: RawPolicy, seen: Seen): readonly Life[] {
  const { uid, resourceVersion } = object.metadata;
  if (orderOf(resourceVersion) < seen.floor) return lives;
  const { at, after, authors = [] } = seen;
  return changed(lives, uid, (life) => {
    const known = life.points.find((one) => one.resourceVersion === resourceVersion);
    const told: Point = { resourceVersion, at, form: known?.form ?? formOf(object), after, authors };
    const others = life.points.filter((one) => one !== known);
    return { ...life, points: [...others, known === undefined ? told : merged(known, told)] };
  });
}

/** Who saw the step knows best who made it. */
function merged(known: Point, told: Point): Point {
  const better = known.after === undefined && told.after !== undefined ? told : known;
  const authors = better.authors.length > 0 ? better.authors : [...known.authors, ...told.authors];
  return { ...known, at: Math.min(known.at, told.at), after: better.after, authors };
}

/** A list that is older than what is known of the object tells nothing of its end. */
function withEnd({ lives, floor }: Lineage, sight: Gone, authors: readonly Author[]): readonly Life[] {
  const { object, resourceVersion, continuous, at } = sight;
  const { uid } = object.metadata;
  const known = lives.find((life) => life.uid === uid);
  const newest = orderOf(known?.points.at(-1)?.resourceVersion ?? "");
  if (known === undefined && orderOf(object.metadata.resourceVersion) <= floor) return lives;
  if (!continuous && newest > orderOf(resourceVersion)) return lives;
  const earlier = orderOf(object.metadata.resourceVersion) < orderOf(resourceVersion);
  const before = earlier ? withPoint(lives, object, { at, floor }) : lives;
  const told: End = { resourceVersion, at, form: formOf(object), seen: continuous, authors };
  return changed(before, uid, (life) => ({ ...life, end: earlierEnd(life.end, told) }));
}

/** It is deleted once: what a watch saw goes before what a list found, and the first that found it before others. */
function earlierEnd(known: End | undefined, told: End): End {
  if (known === undefined) return told;
  const at = Math.min(known.at, told.at);
  const better = known.seen === told.seen ? orderOf(told.resourceVersion) < orderOf(known.resourceVersion) : told.seen;
  const authors = (better ? told : known).authors;
  return {
    ...(better ? told : known),
    at,
    authors: authors.length > 0 ? authors : [...known.authors, ...told.authors],
  };
}

function changed(lives: readonly Life[], uid: string, change: (life: Life) => Life): readonly Life[] {
  if (!lives.some((life) => life.uid === uid)) return [...lives, change({ uid, points: [], end: undefined })];
  return lives.map((life) => (life.uid === uid ? change(life) : life));
}
