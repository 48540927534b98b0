import type { Cluster } from "../kubernetes/cluster.ts";
import { type Manifest, type ManifestReference, manifestName } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { QuarantinePlan } from "../policy/plan.ts";
import type { Hold } from "./hold.ts";
import { StepFailed } from "./step-failed.ts";

/** Everything that a plan writes beside labels, in order. */
export function objectsOf({ policy, denies = [] }: Pick<QuarantinePlan, "policy" | "denies">): readonly Manifest[] {
  return [policy, ...denies];
}

/** What the operation owns. What several operations share (a tier) is made once and stays. */
export function ownObjectsOf(plan: Pick<QuarantinePlan, "policy" | "denies">): readonly Manifest[] {
  return objectsOf(plan).filter((object) => !isShared(object));
}

/**
 * Tells the operation's own objects from all others, in whatever version they were read: by kind and name, of which there
 * is one each. Our label anybody may write on a policy of his own.
 */
export function isAmong(objects: readonly Manifest[]): (object: AnyObject) => boolean {
  const keys = new Set(objects.filter((object) => !isShared(object)).map(keyOf));
  return (object) => keys.has(keyOf(object));
}

/** Of any API, as the simulator and the cluster have them. */
type AnyObject = Pick<Manifest, "apiVersion" | "kind"> & {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
};

/** Calico's objects are read from where it stores them. */
function keyOf({ apiVersion, kind, metadata: { namespace, name } }: AnyObject): string {
  const group = (apiVersion.split("/")[0] ?? "").replace(/^crd\.(projectcalico\.org)$/, "$1");
  return JSON.stringify([group, kind, namespace, name]);
}

/** Names of the objects, for people. */
export function namesOf(objects: readonly ManifestReference[]): string {
  return objects.map(manifestName).join(", ");
}

type Writing = { readonly cluster: Cluster; readonly operation: string; readonly hold: Pick<Hold, "check"> };

/**
 * POST of each; returns those that were not there before. An object of that name which is not this operation's is
 * somebody else's, and is left alone.
 */
export async function createObjects(
  { cluster, operation, hold }: Writing,
  objects: readonly Manifest[],
  written: (created: Manifest) => void,
): Promise<void> {
  const done: Manifest[] = [];
  for (const wanted of objects) {
    await hold.check();
    const { kind, object } = await cluster.createObject(wanted);
    if (kind === "created") written(object);
    else if (!isOurs(object, operation)) {
      throw new StepFailed(
        `a ${wanted.kind} named ${wanted.metadata.name} is there already and is not Bulkhead's`,
        done.length === 0 ? "Nothing was written." : `${namesOf(done)} was written before it: release this operation.`,
      );
    }
    done.push(object);
  }
}

/**
 * Deletes in the reverse order what is there and the operation's own, at the version that was just read. Returns those
 * that kept changing, and are still there.
 */
export async function removeObjects(writing: Writing, objects: readonly Manifest[]): Promise<readonly Manifest[]> {
  const left: Manifest[] = [];
  for (const object of objects.toReversed()) {
    if (!isShared(object) && (await removeOne(writing, object, 3)) === "conflict") left.push(object);
  }
  return left;
}

async function removeOne(writing: Writing, object: Manifest, tries: number): Promise<"gone" | "conflict"> {
  const { cluster, operation, hold } = writing;
  const stored = await cluster.getObject(object);
  const { uid, resourceVersion } = stored?.metadata ?? {};
  if (stored === undefined || uid === undefined || resourceVersion === undefined) return "gone";
  if (!isOurs(stored, operation)) return "gone";
  await hold.check();
  const { kind } = await cluster.deleteObject(object, { uid, resourceVersion });
  if (kind !== "conflict") return "gone";
  return tries <= 1 ? "conflict" : removeOne(writing, object, tries - 1);
}

function isOurs({ kind, metadata: { labels = {} } }: Manifest, operation: string): boolean {
  return isShared({ kind }) ? labels[marks.managedBy] === "bulkhead" : labels[marks.operation] === operation;
}

/** A tier is made once, for all operations that use it, and stays. */
export function isShared({ kind }: Pick<Manifest, "kind">): boolean {
  return kind === "Tier";
}
