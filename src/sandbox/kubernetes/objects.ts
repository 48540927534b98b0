import { isObject, type JsonObject } from "./json.ts";

export type ObjectOwner = {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
};

export type ManagedFields = {
  manager: string;
  operation: "Apply" | "Update";
  apiVersion: string;
  time: string;
  fieldsType: "FieldsV1";
  fieldsV1: JsonObject;
  subresource?: string;
};

export type Metadata = {
  name: string;
  namespace?: string;
  generateName?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: ObjectOwner[];
  finalizers?: string[];
  managedFields?: ManagedFields[];
};

/** A stored object. Never changed in place: every write stores a new one, so that lists, watches and history may share it. */
export type KubeObject = { apiVersion: string; kind: string; metadata: Metadata; [field: string]: unknown };

/** What a client sent, before the server has filled in metadata. */
export type Draft = { apiVersion?: string; kind?: string; metadata: Partial<Metadata>; [field: string]: unknown };

/** Whether the body has the outer form of an object; its fields are checked by schema and validation. */
export function isDraft(body: unknown): body is Draft {
  return isObject(body) && isObject(body["metadata"]);
}

/** The owner that acts as the controller, if any. */
export function controllerOf(object: KubeObject): ObjectOwner | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** RFC 3339 with seconds, as metav1.Time is written. */
export function timestamp(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}
