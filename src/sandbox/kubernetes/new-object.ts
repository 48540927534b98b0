import { randomUUID } from "node:crypto";
import { required } from "./causes.ts";
import { copy } from "./json.ts";
import { type Draft, type KubeObject, type Metadata, timestamp } from "./objects.ts";
import { groupVersion, type Resource } from "./resources.ts";
import { badRequest, invalid, StatusError } from "./status.ts";
import type { Store } from "./store.ts";
import { kindSubject } from "./subjects.ts";

/** What naming needs; `random` gives numbers in [0, 1) for generated names. */
export type Naming = { readonly store: Store; readonly now: () => number; readonly random: () => number };

/** The draft with the metadata of a new object. */
export function named({ store, now, random }: Naming, resource: Resource, namespace: string, draft: Draft): KubeObject {
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

/** The draft as an object of its resource. */
export function identified(resource: Resource, draft: Draft, metadata: Metadata): KubeObject {
  return { ...copy(draft), apiVersion: groupVersion(resource), kind: resource.kind, metadata };
}

/** Five letters and digits as the server picks them, without vowels. */
function randomSuffix(random: () => number): string {
  const letters = "bcdfghjklmnpqrstvwxz2456789";
  return Array.from({ length: 5 }, () => letters[Math.floor(random() * letters.length)]).join("");
}
