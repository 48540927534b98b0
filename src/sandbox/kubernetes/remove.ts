import { numberAt, textAt, textsAt } from "./json.ts";
import { type KubeObject, timestamp } from "./objects.ts";
import type { Resource, Resources } from "./resources.ts";
import { conflict } from "./status.ts";
import type { Store } from "./store.ts";
import { kindSubject } from "./subjects.ts";

/** metav1.DeleteOptions, as far as they are known here. */
export type Removal = {
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly gracePeriodSeconds: number | undefined;
  readonly orphan: boolean;
  readonly dryRun: boolean;
};

export function removalOf(body: unknown, query: URLSearchParams, dryRun: boolean): Removal {
  const preconditions = textsAt(body, "preconditions");
  const grace = query.get("gracePeriodSeconds");
  const policy = textAt(body, "propagationPolicy") ?? query.get("propagationPolicy");
  return {
    uid: preconditions["uid"],
    resourceVersion: preconditions["resourceVersion"],
    gracePeriodSeconds: numberAt(body, "gracePeriodSeconds") ?? (grace === null ? undefined : Number(grace)),
    orphan: policy === "Orphan",
    dryRun,
  };
}

/**
 * Deletes, or marks for deletion what ends later: a pod that runs on a node, a namespace, anything with finalizers.
 * `gone` tells which. Throws 409 where a precondition does not hold. Dependents that are not orphaned are left to the
 * garbage collection.
 */
export function removeObject(
  { store, resources, now }: { store: Store; resources: Resources; now: () => number },
  resource: Resource,
  object: KubeObject,
  removal: Removal,
): { gone: boolean; object: KubeObject } {
  checkPreconditions(resource, object, removal);
  const grace = graceSeconds(resource, object, removal);
  const lingers = grace > 0 || resource.kind === "Namespace" || (object.metadata.finalizers ?? []).length > 0;
  const ending = lingers && object.metadata.deletionTimestamp !== undefined;
  if (removal.dryRun || ending) return { gone: !lingers, object };
  if (removal.orphan) orphanDependents(store, resources, object);
  if (!lingers) return { gone: true, object: store.remove(resource.storage, object) };
  return { gone: false, object: store.put(resource.storage, marked(object, grace, now())) };
}

/** Only a pod that runs on a node is given time to end. */
function graceSeconds(resource: Resource, object: KubeObject, { gracePeriodSeconds }: Removal): number {
  if (resource.kind !== "Pod" || textAt(object, "spec", "nodeName") === undefined) return 0;
  return gracePeriodSeconds ?? numberAt(object, "spec", "terminationGracePeriodSeconds") ?? 30;
}

function marked(object: KubeObject, grace: number, now: number): KubeObject {
  const deletionTimestamp = timestamp(now + grace * 1_000);
  const metadata = { ...object.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
  return { ...object, ...(object.kind === "Namespace" ? { status: { phase: "Terminating" } } : {}), metadata };
}

function checkPreconditions(resource: Resource, { metadata }: KubeObject, { uid, resourceVersion }: Removal): void {
  const subject = kindSubject(resource, metadata.name);
  if (uid !== undefined && uid !== metadata.uid) {
    const record = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid})`;
    throw conflict(subject, `${record}. The object might have been deleted and then recreated`);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const record = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion})`;
    throw conflict(subject, `${record}. The object might have been modified`);
  }
}

function orphanDependents(store: Store, resources: Resources, { metadata }: KubeObject): void {
  for (const storage of new Set(resources.all().map((resource) => resource.storage))) {
    for (const object of store.list(storage)) {
      const owners = object.metadata.ownerReferences ?? [];
      if (!owners.some(({ uid }) => uid === metadata.uid)) continue;
      const { ownerReferences: _, ...rest } = object.metadata;
      const left = owners.filter(({ uid }) => uid !== metadata.uid);
      store.put(storage, { ...object, metadata: { ...rest, ...(left.length === 0 ? {} : { ownerReferences: left }) } });
    }
  }
}
