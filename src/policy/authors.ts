import { fieldManagers, marks } from "./marks.ts";
import { fieldsOf, ownsChange, ownsMore } from "./owned-fields.ts";
import { principalOfKey } from "./principal.ts";
import type { Author, Image, ManagedFields, RawPolicy } from "./revision.ts";
import type { Sight } from "./sight.ts";

/**
 * Who made the change that was seen, as far as the object tells, newest first: programs by managedFields, and an operation of
 * ours as a claim where that program says it is Bulkhead and the object bears its mark. Empty where nobody is known: of deletions, and of a field
 * that was removed by one who owned nothing, the object keeps no trace.
 *
 * `recorded` is for what was found without a form before it: what is known from elsewhere of the object, and when it was so.
 * Without either, all who may have made it so.
 */
export function authorsOf(sight: Sight, recorded?: Recorded): readonly Author[] {
  if (sight.kind === "gone") return [];
  const { object, previous, continuous } = sight;
  const before = previous === undefined ? [] : entriesOf(previous);
  const found =
    previous !== undefined
      ? writers(previous, object, (entry) => hasWritten(entry, before))
      : recorded !== undefined && !continuous
        ? writers(recorded.image, object, (entry) => isSince(entry, recorded.at))
        : entriesOf(object);
  const newestFirst = found.toSorted((one, other) => (other.time ?? "").localeCompare(one.time ?? ""));
  return newestFirst.map((entry) => authorOf(entry, object, previous));
}

/** An earlier form of the same object, and when it was there, milliseconds since the epoch. */
export type Recorded = { readonly image: Image; readonly at: number };

/** Engines and controllers write status; that changes no policy. */
function entriesOf({ metadata: { managedFields = [] } }: RawPolicy): readonly ManagedFields[] {
  return managedFields.filter(({ manager, subresource }) => manager !== undefined && subresource !== "status");
}

/** Times are of whole seconds. */
function isSince({ time }: ManagedFields, since: number): boolean {
  return time === undefined || Date.parse(time) + 1_000 > since;
}

/**
 * Who owns what changed in the content, and of these the ones whose entry changed: several may own the same value, and an
 * older API server leaves the entry of a manager as it was that changes a field of its own (SEEN on 1.20). Where nobody owns
 * it, since a field was taken away, those whose entry changed.
 */
function writers(
  previous: Image,
  object: RawPolicy,
  mayHaveWritten: (entry: ManagedFields) => boolean,
): readonly ManagedFields[] {
  const changed = entriesOf(object).filter(mayHaveWritten);
  const content = [contentOf(previous), contentOf(object)] as const;
  const owners = entriesOf(object).filter((entry) => {
    const fields = contentFields(entry);
    return Object.keys(fields).length > 0 && ownsChange(fields, ...content);
  });
  const both = owners.filter((entry) => changed.includes(entry));
  return [both, owners, changed].find(({ length }) => length > 0) ?? [];
}

/** One that only lost fields to another has written nothing. */
function hasWritten(entry: ManagedFields, before: readonly ManagedFields[]): boolean {
  const own = before.filter((one) => isSameManager(one, entry));
  if (!own.some(({ time }) => time === entry.time)) return true;
  return own.every(({ fieldsV1 }) => ownsMore(fieldsOf(entry.fieldsV1), fieldsOf(fieldsV1)));
}

function isSameManager(one: ManagedFields, other: ManagedFields): boolean {
  return one.manager === other.manager && one.operation === other.operation && one.subresource === other.subresource;
}

function contentOf({ apiVersion: _a, kind: _k, metadata: _m, ...content }: Image): object {
  return content;
}

/** Without labels and annotations, which make no revision. */
function contentFields({ fieldsV1 }: ManagedFields): ReturnType<typeof fieldsOf> {
  const { "f:metadata": _m, "f:status": _s, ...fields } = fieldsOf(fieldsV1);
  return fields;
}

function authorOf(entry: ManagedFields, object: RawPolicy, previous: RawPolicy | undefined): Author {
  const { manager = "", operation = "", time } = entry;
  const ours: readonly string[] = Object.values(fieldManagers);
  const operationOfOurs = ours.includes(manager) ? markOf(object, previous) : undefined;
  return operationOfOurs ?? { kind: "manager", manager, operation, at: time };
}

/** The mark of an undo stays on the object: it tells only of the write that put it there. */
function markOf({ metadata }: RawPolicy, previous: RawPolicy | undefined): Author | undefined {
  const undo = metadata.annotations?.[marks.undo];
  const isNew = undo !== previous?.metadata.annotations?.[marks.undo];
  if (undo !== undefined && isNew) return { kind: "operation", operation: undo, by: undefined, claimed: true };
  const operation = metadata.labels?.[marks.operation];
  const by = principalOfKey(metadata.annotations?.[marks.principal] ?? "");
  return operation === undefined ? undefined : { kind: "operation", operation, by, claimed: true };
}
