import { isDeepStrictEqual } from "node:util";
import { type FieldPath, fieldKey, leavesOf, sameAt } from "./fields.ts";
import { isObject, type JsonObject, put } from "./json.ts";
import type { KubeObject, ManagedFields } from "./objects.ts";

/** Who writes: as whom it is recorded, in which way, and when (RFC 3339). */
export type Writer = {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly subresource: string | undefined;
  readonly time: string;
};

export type Owned = ReadonlyMap<string, FieldPath>;

/** The leaves that a managedFields entry names. */
export function ownedBy(entry: ManagedFields): Map<string, FieldPath> {
  const owned = new Map<string, FieldPath>();
  collect(owned, [], entry.fieldsV1);
  return owned;
}

/** Whether the entry is the writer's own. */
export function isEntryOf(entry: ManagedFields, writer: Writer): boolean {
  return (
    entry.manager === writer.manager &&
    entry.operation === writer.operation &&
    (entry.subresource ?? "") === (writer.subresource ?? "")
  );
}

/** The entries after an ordinary write: what it changed is the writer's alone, what it removed is nobody's. */
export function afterUpdate(next: KubeObject, previous: KubeObject | undefined, writer: Writer): ManagedFields[] {
  const leaves = leavesOf(next);
  const changed = new Map([...leaves].filter(([, path]) => previous === undefined || !sameAt(next, previous, path)));
  const entries = previous?.metadata.managedFields ?? [];
  const others = entries.filter((entry) => !isEntryOf(entry, writer));
  const mine = entries.find((entry) => isEntryOf(entry, writer));
  const kept = mine === undefined ? [] : [...ownedBy(mine)].filter(([key]) => leaves.has(key));
  return [
    ...others.flatMap((entry) => narrowed(entry, (key) => leaves.has(key) && !changed.has(key))),
    ...entryOf(next.apiVersion, writer, new Map([...kept, ...changed]), mine),
  ];
}

/** The entry with only the leaves that are kept; none where nothing is left. */
export function narrowed(entry: ManagedFields, keep: (key: string) => boolean): ManagedFields[] {
  const owned = ownedBy(entry);
  const left = new Map([...owned].filter(([key]) => keep(key)));
  if (left.size === owned.size) return [entry];
  return left.size === 0 ? [] : [{ ...entry, fieldsV1: toFieldsV1(left) }];
}

/** The writer's entry; its time stays where the fields do. */
export function entryOf(apiVersion: string, writer: Writer, owned: Owned, before?: ManagedFields): ManagedFields[] {
  if (owned.size === 0) return [];
  const { manager, operation, subresource, time } = writer;
  const fieldsV1 = toFieldsV1(owned);
  if (before !== undefined && isDeepStrictEqual(before.fieldsV1, fieldsV1)) return [before];
  const entry: ManagedFields = { manager, operation, apiVersion, time, fieldsType: "FieldsV1", fieldsV1 };
  return [subresource === undefined ? entry : { ...entry, subresource }];
}

function collect(owned: Map<string, FieldPath>, path: FieldPath, fields: JsonObject): void {
  for (const [step, below] of Object.entries(fields)) {
    if (step === ".") continue;
    if (isObject(below) && Object.keys(below).some((key) => key !== ".")) collect(owned, [...path, step], below);
    else owned.set(fieldKey([...path, step]), [...path, step]);
  }
}

function toFieldsV1(owned: Owned): JsonObject {
  const root: JsonObject = {};
  for (const path of owned.values()) {
    let here = root;
    for (const step of path) {
      const next = Object.hasOwn(here, step) ? here[step] : undefined;
      const below: JsonObject = isObject(next) ? next : {};
      if (next === undefined) put(here, step, below);
      here = below;
    }
  }
  return root;
}
