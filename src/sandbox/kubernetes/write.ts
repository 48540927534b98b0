import { isDeepStrictEqual } from "node:util";
import { withDefaults } from "./defaults.ts";
import { asServed, asStored } from "./events.ts";
import { copy } from "./json.ts";
import { afterUpdate, type Writer } from "./managed-fields.ts";
import { type Naming, named } from "./new-object.ts";
import { type Draft, type KubeObject, timestamp } from "./objects.ts";
import { isSame, replaced } from "./replaced-object.ts";
import type { Resource } from "./resources.ts";
import { alreadyExists, invalid } from "./status.ts";
import type { Store } from "./store.ts";
import { kindSubject, subjectOf } from "./subjects.ts";
import { problemsOf } from "./validation.ts";

/** How a write is made. */
export type Writing = {
  /** As whom it is recorded in managedFields; undefined records nothing. */
  readonly manager: string | undefined;
  readonly dryRun?: boolean;
  /** Set where the object of an apply already holds its new managedFields. */
  readonly apply?: boolean;
  readonly subresource?: string | undefined;
  /** A new object keeps the status that it comes with; clients cannot do that. */
  readonly keepStatus?: boolean;
};

/** Creating and replacing objects, with all that the server does on the way. Refusals throw StatusError. */
export type Writes = {
  create(resource: Resource, namespace: string, draft: Draft, writing: Writing): KubeObject;
  /** `previous` and what is returned are as `resource` serves them. */
  update(resource: Resource, previous: KubeObject, draft: Draft, writing: Writing): KubeObject;
};

type Parts = Naming & { readonly newServiceAddress: () => string };

export function createWrites(store: Store, now: () => number, random: () => number): Writes {
  let services = 0;
  const newServiceAddress = (): string => {
    services += 1;
    return `10.96.${Math.floor(services / 250)}.${(services % 250) + 1}`;
  };
  const parts: Parts = { store, now, random, newServiceAddress };
  return {
    create: (resource, namespace, draft, writing) =>
      create(parts, resource, named(parts, resource, namespace, draft), writing),
    update: (resource, previous, draft, writing) => {
      const object = replaced(resource, previous, draft, writing.subresource);
      const next = finish(parts, { resource, previous, writing }, object);
      if (isSame(next, previous)) return previous;
      return writing.dryRun === true ? next : keep(store, resource, next);
    },
  };
}

function create(parts: Parts, resource: Resource, draft: KubeObject, writing: Writing): KubeObject {
  const { name, namespace = "" } = draft.metadata;
  const { status: _, ...bare } = draft;
  const stripped = resource.subresources.includes("status") && writing.keepStatus !== true;
  const next = finish(parts, { resource, previous: undefined, writing }, stripped ? bare : draft);
  if (parts.store.get(resource.storage, namespace, name) !== undefined) throw alreadyExists(subjectOf(resource, name));
  return writing.dryRun === true ? next : keep(parts.store, resource, next);
}

type Target = { readonly resource: Resource; readonly previous: KubeObject | undefined; readonly writing: Writing };

/** Defaults, validation, generation and managed fields: what is left to do before an object can be stored. */
function finish(
  { now, newServiceAddress }: Parts,
  { resource, previous, writing }: Target,
  object: KubeObject,
): KubeObject {
  const next = tidy(withDefaults(object, newServiceAddress));
  const causes = problemsOf(resource, next, previous);
  if (causes.length > 0) throw invalid(kindSubject(resource, next.metadata.name), causes);
  countGeneration(resource, next, previous);
  if (writing.manager !== undefined && writing.apply !== true) {
    const writer = writerOf(writing.manager, writing.subresource, now);
    next.metadata.managedFields = afterUpdate(next, previous, writer);
  }
  return next;
}

/** What was marked for deletion goes with its last finalizer; pods and namespaces wait for their controllers besides. */
function keep(store: Store, resource: Resource, next: KubeObject): KubeObject {
  const { deletionTimestamp, finalizers = [] } = next.metadata;
  const waits = resource.kind === "Pod" || resource.kind === "Namespace" || finalizers.length > 0;
  const ended = deletionTimestamp !== undefined && !waits;
  const stored = asStored(next);
  return asServed(resource, ended ? store.remove(resource.storage, stored) : store.put(resource.storage, stored));
}

/** Empty maps and lists of the metadata are not stored (Go's omitempty). */
function tidy(object: KubeObject): KubeObject {
  const result = copy(object);
  for (const field of ["labels", "annotations", "finalizers", "ownerReferences", "managedFields"] as const) {
    if (Object.keys(result.metadata[field] ?? {}).length === 0) delete result.metadata[field];
  }
  return result;
}

function countGeneration(resource: Resource, next: KubeObject, previous: KubeObject | undefined): void {
  if (!resource.generations || previous === undefined) return;
  const { metadata: _, status: __, ...after } = next;
  const { metadata: ___, status: ____, ...before } = previous;
  if (!isDeepStrictEqual(after, before)) next.metadata.generation = (previous.metadata.generation ?? 0) + 1;
}

export function writerOf(manager: string, subresource: string | undefined, now: () => number): Writer {
  return { manager, operation: "Update", subresource, time: timestamp(now()) };
}
