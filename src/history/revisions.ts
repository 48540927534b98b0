import { mostCertainFirst } from "../policy/certainty.ts";
import { type Author, type Revision, revisionId } from "../policy/revision.ts";
import {
  type End,
  type Form,
  imageOfForm,
  type Life,
  type Lineage,
  type Note,
  orderOf,
  type Point,
  startOf,
} from "./lineage.ts";

/** A revision whose images have not been read: lists look at many, and show few. */
export type Step = {
  readonly id: string;
  readonly change: Revision["change"];
  readonly uid: string;
  readonly resourceVersion: string;
  readonly at: number;
  readonly before: Form | undefined;
  readonly after: Form | undefined;
  readonly authors: readonly Author[];
  readonly gap: boolean;
};

/** What follows from a lineage, oldest first. Several ask it of one lineage, which never changes. */
export function stepsOf(lineage: Lineage): readonly Step[] {
  const known = memory.get(lineage) ?? derived(lineage);
  memory.set(lineage, known);
  return known;
}

const memory = new WeakMap<Lineage, readonly Step[]>();

function derived({ key, floor, lives }: Lineage): readonly Step[] {
  const steps = lives.flatMap((life, index) => {
    const isFirst = index === 0 && floor < 0;
    return [...beginning(life, isFirst), ...changes(life), ...ending(life, lives[index + 1], isFirst)];
  });
  return steps
    .filter(({ resourceVersion }) => orderOf(resourceVersion) > floor)
    .map((step) => ({
      ...step,
      id: revisionId(key.cluster, step.uid, step.change === "deleted" ? "deleted" : step.resourceVersion),
    }));
}

/** In full, with what is noted of it. */
export function revisionOf({ key, notes }: Lineage, step: Step): Revision {
  const { authors, before, after, ...rest } = step;
  const note: Note = notes[step.id] ?? {};
  const image = after === undefined ? undefined : imageOfForm(after);
  const earlier = before === undefined ? undefined : imageOfForm(before);
  return {
    version: 1,
    ...rest,
    cluster: key.cluster,
    apiVersion: (image ?? earlier)?.apiVersion ?? key.apiVersion,
    kind: key.kind,
    namespace: key.namespace,
    name: key.name,
    before: earlier,
    after: image,
    authors: mostCertainFirst([...(note.authors ?? []), ...authors]),
    ...(note.undoneBy === undefined ? {} : { undoneBy: note.undoneBy }),
  };
}

type Unnamed = Omit<Step, "id">;

/** Whether it was made at all is known where a watch saw it, and where another of its name was there before. */
function beginning({ uid, points: [first] }: Life, isFirst: boolean): readonly Unnamed[] {
  if (first === undefined || (isFirst && first.after !== "nothing")) return [];
  // What was there when the history was trimmed was not made then.
  return [{ change: "created", uid, ...toPoint(first), before: undefined, gap: first.after !== "nothing" }];
}

function changes({ uid, points }: Life): readonly Unnamed[] {
  return points.flatMap((point, index) => {
    const previous = points[index - 1];
    if (previous === undefined || previous.form.spec === point.form.spec) return [];
    const gap = point.after !== previous.resourceVersion;
    return [{ change: "changed" as const, uid, ...toPoint(point), before: previous.form, gap }];
  });
}

function ending({ uid, points, end }: Life, next: Life | undefined, isFirst: boolean): readonly Unnamed[] {
  const last = points.at(-1);
  if (end !== undefined) return [deletion(uid, { end: notAfter(end, next), last, isFirst })];
  if (next === undefined || last === undefined) return [];
  const resourceVersion = firstOf(next)?.resourceVersion ?? last.resourceVersion;
  const at = firstOf(next)?.at ?? last.at;
  return [deletion(uid, { end: { resourceVersion, at, form: last.form, seen: false, authors: [] }, last, isFirst })];
}

type Ending = { readonly end: End; readonly last: Point | undefined; readonly isFirst: boolean };

/** There were steps that nobody saw, too, where its last form is not the one that was known before. */
function deletion(uid: string, { end, last, isFirst }: Ending): Unnamed {
  const { form, seen, resourceVersion, at, authors } = end;
  const gap = !seen || (last === undefined ? !isFirst : last.form.spec !== form.spec);
  const before = seen ? form : (last?.form ?? form);
  return { change: "deleted", uid, resourceVersion, at, authors, before, after: undefined, gap };
}

/** A list that did not have it may have come after another of its name was made. */
function notAfter(end: End, next: Life | undefined): End {
  const first = next && firstOf(next);
  if (next === undefined || first === undefined || end.seen || orderOf(end.resourceVersion) <= startOf(next))
    return end;
  return { ...end, resourceVersion: first.resourceVersion, at: Math.min(end.at, first.at) };
}

function firstOf({ points, end }: Life): Pick<Point, "resourceVersion" | "at"> | undefined {
  return points[0] ?? end;
}

function toPoint({ resourceVersion, at, form, authors }: Point) {
  return { resourceVersion, at, after: form, authors };
}
