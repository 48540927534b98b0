import { canonicalJson } from "../policy/canonical.ts";
import { type Author, type Image, imageOf, type PolicyKey, type RawPolicy } from "../policy/revision.ts";

/**
 * All that is known of one policy: the forms in which it was seen, in the order of their versions. Revisions follow from
 * it (revisions.ts). What replicas tell is put in its place, so that it does not matter who tells it first.
 */
export type Lineage = {
  readonly key: PolicyKey;
  /** Revisions up to this one were trimmed, and what is told of that time is ignored; -1 where none was. */
  readonly floor: number;
  /** Oldest first; each has a uid of its own. Only the last one may be there still. */
  readonly lives: readonly Life[];
  /** By revision's id, what became known of it beside the object. */
  readonly notes: Readonly<Record<string, Note>>;
};

/** From being made to being deleted. Without points nothing is known but its end. */
export type Life = { readonly uid: string; readonly points: readonly Point[]; readonly end: End | undefined };

/** A form in which it was stored. */
export type Point = {
  readonly resourceVersion: string;
  /** The earliest moment at which a replica had seen this or a later one. */
  readonly at: number;
  readonly form: Form;
  /** The version right before, where a watch saw every step since; `nothing`: it was made so. Undefined: not known. */
  readonly after: string | undefined;
  readonly authors: readonly Author[];
};

/** How it was deleted; `seen` by a watch, or found missing by a list, whose version it has then. */
export type End = {
  readonly resourceVersion: string;
  readonly at: number;
  /** As it was last. */
  readonly form: Form;
  readonly seen: boolean;
  readonly authors: readonly Author[];
};

/** An image as two canonical JSON texts: what makes a revision when it differs, and the rest. */
export type Form = { readonly spec: string; readonly rest: string };

export type Note = { readonly authors?: readonly Author[]; readonly undoneBy?: string };

export function formOf(object: RawPolicy): Form {
  const { apiVersion, kind, metadata, ...spec } = imageOf(object);
  return { spec: canonicalJson(spec), rest: canonicalJson({ apiVersion, kind, metadata }) };
}

export function imageOfForm({ spec, rest }: Form): Image {
  return { ...JSON.parse(rest), ...JSON.parse(spec) } as Image;
}

/** What orders versions of objects of one kind; 0 for one that is no number, as only aggregated APIs have. */
export function orderOf(resourceVersion: string): number {
  return Number.parseInt(resourceVersion, 10) || 0;
}

/** Of the first that is known of a life. */
export function startOf({ points, end }: Life): number {
  return orderOf(points[0]?.resourceVersion ?? end?.resourceVersion ?? "");
}

/** The newest form of a policy that is there. */
export function headOf({ lives }: Lineage): { readonly uid: string; readonly point: Point } | undefined {
  const last = lives.at(-1);
  const point = last?.points.at(-1);
  return last === undefined || last.end !== undefined || point === undefined ? undefined : { uid: last.uid, point };
}
