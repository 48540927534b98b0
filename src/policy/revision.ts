import { canonicalHash, canonicalJson } from "./canonical.ts";
import { withoutPause } from "./flux-pause.ts";
import type { Manifest, ManifestReference } from "./manifest.ts";
import { marks } from "./marks.ts";
import type { Principal } from "./principal.ts";

/**
 * A policy as far as a person wrote it: what a rollback brings back. Without status, managedFields and all that the server
 * sets; with labels, annotations (`last-applied-configuration` among them), ownerReferences and finalizers.
 */
export type Image = Omit<Manifest, "metadata" | "status"> & {
  readonly metadata: Pick<Manifest["metadata"], "name" | "namespace" | "labels" | "annotations" | "finalizers"> & {
    readonly ownerReferences?: readonly OwnerReference[];
  };
};

/** metav1.OwnerReference, as on the wire. */
export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

/** One stored form of an object, in full, as it is on the wire. */
export type RawPolicy = Manifest & {
  readonly metadata: Manifest["metadata"] & {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly ownerReferences?: readonly OwnerReference[];
    readonly managedFields?: readonly ManagedFields[];
  };
};

/** metav1.ManagedFieldsEntry: which program wrote fields last; any client may claim any name. */
export type ManagedFields = {
  readonly manager?: string;
  readonly operation?: "Apply" | "Update";
  /** RFC 3339, whole seconds. */
  readonly time?: string;
  readonly subresource?: string;
  readonly fieldsV1?: unknown;
};

/** Who made a change, as far as it can be known; what is claimed by the object alone is `manager`, or says `claimed`. */
export type Author =
  /** A program, by managedFields. */
  | { readonly kind: "manager"; readonly manager: string; readonly operation: string; readonly at: string | undefined }
  /** A user as the API server authenticated it, by its audit log. */
  | {
      readonly kind: "user";
      readonly user: string;
      readonly groups: readonly string[];
      readonly impersonatedBy?: string;
      readonly agent?: string;
      /** When the API server received the request, by its clock, milliseconds since the epoch. */
      readonly receivedAt?: number;
    }
  /**
   * An operation of ours, and the person whose it is. `claimed`: the object says so, which anybody may write; left out where we
   * know it by ourselves.
   */
  | {
      readonly kind: "operation";
      readonly operation: string;
      readonly by: Principal | undefined;
      readonly claimed?: true;
    };

/**
 * One change of a policy's spec, or its creation or deletion. Deleting and making again is one lineage. `before` and `after`
 * are undefined where it was not there; `before` is the object as it was right before, with the labels that it had then.
 */
export type Revision = {
  readonly version: 1;
  /** See revisionId. */
  readonly id: string;
  readonly cluster: string;
  readonly change: "created" | "changed" | "deleted";
  readonly apiVersion: string;
  readonly kind: string;
  /** Undefined for what is cluster-scoped. */
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  /** Of the change; where a deletion was found by a list, the list's. */
  readonly resourceVersion: string;
  /** When a replica saw it, milliseconds since the epoch. */
  readonly at: number;
  readonly before: Image | undefined;
  readonly after: Image | undefined;
  /** Most certain first; empty where nobody is known. */
  readonly authors: readonly Author[];
  /** The operation of ours whose object this is, by its stored plan, whoever made the change. */
  readonly owner?: string;
  /** The watch was away before it: there may have been steps between that nobody knows. */
  readonly gap: boolean;
  /** The operation that undid it, and has not been undone itself. */
  readonly undoneBy?: string;
};

/** What `after` is, or was: the object of a revision. */
export function referenceOf({ apiVersion, kind, namespace, name }: Omit<PolicyKey, "cluster">): ManifestReference {
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { namespace, name } };
}

/** Which policy, whatever its uid. */
export type PolicyKey = Pick<Revision, "cluster" | "apiVersion" | "kind" | "namespace" | "name">;

/** By group, not by version: the same object is served in several. */
export function lineageOf({ cluster, apiVersion, kind, namespace = "", name }: PolicyKey): string {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  return `${cluster} ${group}/${kind} ${namespace}/${name}`;
}

/**
 * The same change has the same id, whoever saw it: an object's version tells it, and a deletion is of a uid, which is deleted
 * once: `version` is `deleted` then. 35 bits of `v-…`.
 */
export function revisionId(cluster: string, uid: string, version: string): string {
  const digest = Buffer.from(canonicalHash([cluster, uid, version]), "hex");
  const letters = [...digest.subarray(0, 7)].map((byte) => "0123456789abcdefghjkmnpqrstvwxyz"[byte % 32]);
  return `v-${letters.join("")}`;
}

/** Whether the text has the form of a revision's id or of the beginning of one. */
export function isRevisionIdPrefix(text: string): boolean {
  return /^v-[0-9a-hjkmnp-tv-z]{1,7}$/.test(text);
}

/** The object without all that the server sets, and without what an undo marked, which is no part of what it was. */
export function imageOf(object: Manifest): Image {
  const { apiVersion, kind, metadata, status: _status, ...rest } = object;
  const { name, namespace, labels, annotations, finalizers, ownerReferences } = metadata as RawPolicy["metadata"];
  const { [marks.undo]: _undo, ...others } = annotations ?? {};
  const members = { labels, annotations: withoutPause(others), finalizers, ownerReferences };
  const given = Object.entries(members).filter(([, value]) => value !== undefined && Object.keys(value).length > 0);
  return {
    ...rest,
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...Object.fromEntries(given) },
  };
}

/** Of what it does: its spec, and whatever else is no metadata. Labels and annotations make no revision. */
export function specHash({ apiVersion: _a, kind: _k, metadata: _m, ...rest }: Image): string {
  return canonicalHash(rest);
}

/** Whether two images are the same object, to the byte in canonical form; undefined is one that is not there. */
export function sameImage(one: Image | undefined, other: Image | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return canonicalJson(one) === canonicalJson(other);
}
