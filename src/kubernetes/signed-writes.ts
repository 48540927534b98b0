import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import { operationNamed } from "../policy/undo-candidates.ts";
import type { Cluster, WrittenObject } from "./cluster.ts";

type Writes = Pick<Cluster, "patchPolicy" | "createObject" | "deleteObject" | "patchPod" | "deletePod">;

/**
 * The same writes; whose each is, is told by us who make it: by the mark of what is written or deleted, which on a stored object
 * would say no more than that somebody put it there.
 */
export function signedWrites(writes: Writes, told: (written: Omit<WrittenObject, "cluster">) => void): Writes {
  const tell = (operation: string | undefined, { uid, resourceVersion }: Version): void => {
    if (uid !== undefined && resourceVersion !== undefined && operation !== undefined) {
      told({ uid, resourceVersion, operation });
    }
  };
  return {
    ...writes,
    async createObject(object) {
      const created = await writes.createObject(object);
      if (created.kind === "created") tell(operationOf(object), created.object.metadata);
      return created;
    },
    async deleteObject(reference, version) {
      const deleted = await writes.deleteObject(reference, version);
      const isOurs = deleted.kind === "deleted" || deleted.isRetried === true;
      if (isOurs) tell(operationOf(reference), { uid: version.uid, resourceVersion: "deleted" });
      return deleted;
    },
    async patchPolicy(namespace, name, patch, operation) {
      const patched = await writes.patchPolicy(namespace, name, patch, operation);
      if (patched.kind === "patched") tell(operation, patched.policy.metadata);
      return patched;
    },
  };
}

type Version = { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined };

function operationOf({ metadata }: { readonly metadata: Pick<Manifest["metadata"], "name" | "labels"> }) {
  return metadata.labels?.[marks.operation] ?? operationNamed(metadata.name);
}
