import { isDeepStrictEqual } from "node:util";
import { copy } from "./json.ts";
import { identified } from "./new-object.ts";
import type { Draft, KubeObject, Metadata } from "./objects.ts";
import type { Resource } from "./resources.ts";
import { badRequest, conflict } from "./status.ts";
import { subjectOf } from "./subjects.ts";

/** The draft in place of an object that is there, with what the server keeps. Refusals throw StatusError. */
export function replaced(
  resource: Resource,
  previous: KubeObject,
  draft: Draft,
  subresource: string | undefined,
): KubeObject {
  checkIdentity(resource, previous, draft);
  const metadata = carriedMetadata(previous.metadata, draft.metadata);
  return withRightStatus(resource, identified(resource, draft, metadata), previous, subresource);
}

/** Times of managedFields alone do not make a change. */
export function isSame(next: KubeObject, previous: KubeObject): boolean {
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
