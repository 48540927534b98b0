import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { required } from "./causes.ts";
import { withDefaults } from "./defaults.ts";
import { asServed, asStored } from "./events.ts";
import { copy } from "./json.ts";
import { afterUpdate, type Writer } from "./managed-fields.ts";
import type { Draft, KubeObject, Metadata } from "./objects.ts";
import { timestamp } from "./objects.ts";
import { groupVersion, type Resource } from "./resources.ts";
import { alreadyExists, badRequest, conflict, invalid, StatusError, type Subject } from "./status.ts";
import type { Store } from "./store.ts";
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

/** What a write needs; `random` gives numbers in [0, 1) for generated names. */
type Parts = {
  readonly store: Store;
  readonly now: () => number;
  readonly random: () => number;
  readonly newServiceAddress: () => string;
};

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
      checkIdentity(resource, previous, draft);
      const metadata = carriedMetadata(previous.metadata, draft.metadata);
      const object = withRightStatus(resource, identified(resource, draft, metadata), previous, writing.subresource);
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

/** The draft with the metadata of a new object. */
function named({ store, now, random }: Parts, resource: Resource, namespace: string, draft: Draft): KubeObject {
  const { name, generateName, resourceVersion } = draft.metadata;
  if (resourceVersion)
    throw new StatusError(500, undefined, "resourceVersion should not be set on objects to be created");
  if (!name && !generateName) {
    throw invalid(kindSubject(resource, ""), [required("metadata.name", "name or generateName is required")]);
  }
  let chosen = name || `${generateName}${randomSuffix(random)}`;
  for (
    let attempt = 1;
    !name && attempt < 8 && store.get(resource.storage, namespace, chosen) !== undefined;
    attempt += 1
  ) {
    chosen = `${generateName}${randomSuffix(random)}`;
  }
  return identified(resource, draft, newMetadata(resource, namespace, { ...draft.metadata, name: chosen }, now()));
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

export function writerOf(manager: string, subresource: string | undefined, now: () => number): Writer {
  return { manager, operation: "Update", subresource, time: timestamp(now()) };
}

/** What refusals by a resource's rules name: its plural. */
export function subjectOf(resource: Resource, name: string): Subject {
  return { group: resource.group, kind: resource.plural, name };
}

/** What refusals by a kind's rules name. */
export function kindSubject(resource: Resource, name: string): Subject {
  return { group: resource.group, kind: resource.kind, name };
}

function newMetadata(resource: Resource, namespace: string, given: Partial<Metadata>, now: number): Metadata {
  const { deletionTimestamp: _, deletionGracePeriodSeconds: __, ...rest } = given;
  const { name = "" } = given;
  if (given.namespace && given.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  return {
    ...rest,
    name,
    ...(resource.namespaced ? { namespace } : {}),
    uid: randomUUID(),
    resourceVersion: "",
    creationTimestamp: timestamp(now),
    ...(resource.generations ? { generation: 1 } : {}),
  };
}

function checkIdentity(resource: Resource, previous: KubeObject, { metadata }: Draft): void {
  const { name, namespace, resourceVersion } = previous.metadata;
  if (metadata.name !== undefined && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest(
      `the namespace of the object (${metadata.namespace}) does not match the namespace on the request (${namespace})`,
    );
  }
  if (metadata.resourceVersion && metadata.resourceVersion !== resourceVersion) {
    const because = "the object has been modified; please apply your changes to the latest version and try again";
    throw conflict(subjectOf(resource, name), because);
  }
}

/** What a client leaves out of the server's own metadata stays; what it changes is judged by the validation. */
function carriedMetadata(previous: Metadata, given: Partial<Metadata>): Metadata {
  const { deletionTimestamp, deletionGracePeriodSeconds, generation, managedFields } = previous;
  const { deletionTimestamp: _, deletionGracePeriodSeconds: __, generation: ___, ...rest } = given;
  return {
    ...(managedFields === undefined ? {} : { managedFields }),
    ...rest,
    name: previous.name,
    ...(previous.namespace === undefined ? {} : { namespace: previous.namespace }),
    uid: given.uid || previous.uid,
    resourceVersion: previous.resourceVersion,
    creationTimestamp: given.creationTimestamp || previous.creationTimestamp,
    ...(generation === undefined ? {} : { generation }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
  };
}

function identified(resource: Resource, draft: Draft, metadata: Metadata): KubeObject {
  return { ...copy(draft), apiVersion: groupVersion(resource), kind: resource.kind, metadata };
}

/** The main resource cannot write the status, and the status subresource nothing else. */
function withRightStatus(
  resource: Resource,
  next: KubeObject,
  previous: KubeObject,
  subresource: string | undefined,
): KubeObject {
  if (subresource === "status") {
    const { managedFields } = next.metadata;
    const metadata = { ...previous.metadata, ...(managedFields === undefined ? {} : { managedFields }) };
    return { ...previous, metadata, status: next["status"] };
  }
  return resource.subresources.includes("status") ? { ...next, status: previous["status"] } : next;
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

/** Times of managedFields alone do not make a change. */
function isSame(next: KubeObject, previous: KubeObject): boolean {
  const bare = ({ metadata, ...rest }: KubeObject): unknown => [
    {
      ...metadata,
      resourceVersion: "",
      managedFields: metadata.managedFields?.map((entry) => ({ ...entry, time: "" })),
    },
    rest,
  ];
  return isDeepStrictEqual(bare(next), bare(copy(previous)));
}

/** Five letters and digits as the server picks them, without vowels. */
function randomSuffix(random: () => number): string {
  const letters = "bcdfghjklmnpqrstvwxz2456789";
  return Array.from({ length: 5 }, () => letters[Math.floor(random() * letters.length)]).join("");
}
