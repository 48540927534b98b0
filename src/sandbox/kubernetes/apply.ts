import { type FieldPath, fieldName, leavesOf, removeAt, sameAt, setAt, valueAt } from "./fields.ts";
import { copy } from "./json.ts";
import { entryOf, isEntryOf, narrowed, ownedBy, type Writer } from "./managed-fields.ts";
import type { Draft, KubeObject, ManagedFields } from "./objects.ts";
import { StatusError } from "./status.ts";

type Conflict = { readonly manager: ManagedFields; readonly path: FieldPath };

/**
 * Server-side apply onto an object that exists: sets what the configuration names, removes what this manager no longer
 * names and nobody else owns. Throws 409 with one cause a field where others own other values, unless forced.
 */
export function applyConfiguration(live: KubeObject, configuration: Draft, writer: Writer, force: boolean): KubeObject {
  const applied = leavesOf(configuration);
  const entries = live.metadata.managedFields ?? [unknownOwner(live, writer)];
  const others = entries.filter((entry) => !isEntryOf(entry, writer));
  const mine = entries.find((entry) => isEntryOf(entry, writer));
  const conflicts = others.flatMap((manager) => conflictsWith(manager, live, configuration));
  if (conflicts.length > 0 && !force) throw refusal(conflicts);

  const next = copy(live);
  const held = new Set(others.flatMap((entry) => [...ownedBy(entry).keys()]));
  for (const [key, path] of mine === undefined ? [] : ownedBy(mine)) {
    if (!applied.has(key) && !held.has(key)) removeAt(next, path);
  }
  for (const path of applied.values()) setAt(next, path, valueAt(configuration, path));
  const lost = new Set(conflicts.map(({ manager, path }) => `${entries.indexOf(manager)} ${path.join("\n")}`));
  next.metadata.managedFields = [
    ...others.flatMap((entry) => narrowed(entry, (key) => !lost.has(`${entries.indexOf(entry)} ${key}`))),
    ...entryOf(configuration.apiVersion ?? live.apiVersion, writer, applied, mine),
  ];
  return next;
}

/** Objects that were stored without managed fields belong to a manager of this name, as on the server. */
function unknownOwner(live: KubeObject, { time }: Writer): ManagedFields {
  const manager = "before-first-apply";
  const writer: Writer = { manager, operation: "Update", subresource: undefined, time };
  const none = { manager, operation: "Update" as const, apiVersion: live.apiVersion, time };
  return entryOf(live.apiVersion, writer, leavesOf(live))[0] ?? { ...none, fieldsType: "FieldsV1", fieldsV1: {} };
}

function conflictsWith(manager: ManagedFields, live: KubeObject, configuration: Draft): Conflict[] {
  const owned = ownedBy(manager);
  return [...leavesOf(configuration)]
    .filter(([key, path]) => owned.has(key) && !sameAt(live, configuration, path))
    .map(([, path]) => ({ manager, path }));
}

function refusal(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with "${manager.manager}"${manager.operation === "Update" ? ` using ${manager.apiVersion}` : ""}`,
    field: fieldName(path),
  }));
  const plural = causes.length === 1 ? "conflict" : "conflicts";
  const list = causes.map(({ message, field }) =>
    causes.length === 1 ? `${message}: ${field}` : `\n- ${message}: ${field}`,
  );
  const message = `Apply failed with ${causes.length} ${plural}: ${list.join("")}`;
  return new StatusError(409, "Conflict", message, { causes });
}
