import type { Cluster } from "../kubernetes/cluster.ts";
import { isUnanswered, KubernetesError } from "../kubernetes/failure.ts";
import { pauseAnnotations } from "../policy/flux-pause.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { type ManifestReference, manifestName } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import { type Image, lineageOf, type RawPolicy } from "../policy/revision.ts";
import type { UndoWrite } from "../policy/undo-plan.ts";

/** The object with the mark of the undo that writes it, and the pause of Flux where that is written too; neither is a part of an image. */
export function marked(image: Image, operation: string, pausesFlux = false): Image {
  const pause = pausesFlux ? pauseAnnotations(operation) : {};
  const annotations = { ...image.metadata.annotations, ...pause, [marks.undo]: operation };
  return { ...image, metadata: { ...image.metadata, annotations } };
}

/** The object of a write. */
export function objectOf({ from, to }: UndoWrite): ManifestReference {
  const object = to ?? from;
  if (object === undefined) throw new Error("a write from nothing to nothing is no write");
  return object;
}

type Rehearsed = {
  readonly cluster: Cluster;
  readonly operation: string;
  readonly stored: ReadonlyMap<string, RawPolicy | undefined>;
};

/** Each write as a dry run of the API server, with its webhooks: the first that it would refuse, in its words. */
export async function rehearse(rehearsed: Rehearsed, writes: readonly UndoWrite[]): Promise<Refusal | undefined> {
  for (const write of writes) {
    const no = await rehearseOne(rehearsed, write);
    if (no !== undefined) return no;
  }
  return undefined;
}

async function rehearseOne({ cluster, operation, stored }: Rehearsed, write: UndoWrite): Promise<Refusal | undefined> {
  const object = objectOf(write);
  const { namespace, name } = object.metadata;
  const key = lineageOf({ ...object, cluster: cluster.name, namespace, name });
  try {
    const kind = await dryRun(cluster, write, { operation, stored: stored.get(key) });
    const isAsSeen = kind === "created" || kind === "replaced" || kind === "deleted";
    return isAsSeen ? undefined : refusal(`${manifestName(object)} changes at this very moment`, "Type it again.");
  } catch (error) {
    const isSilent: boolean = isUnanswered(error);
    if (!(error instanceof KubernetesError) || isSilent) throw error;
    return refusal(
      `the API server would refuse to ${verbOf(write)} ${manifestName(object)}: ${error.message}`,
      nextOf(error),
    );
  }
}

type Seen = { readonly operation: string; readonly stored: RawPolicy | undefined };

async function dryRun(
  { anyPolicy }: Cluster,
  { from, to, pausesFlux }: UndoWrite,
  { operation, stored }: Seen,
): Promise<string> {
  const options = { dryRun: true };
  if (stored === undefined)
    return to === undefined ? "gone" : (await anyPolicy.create(marked(to, operation, pausesFlux), options)).kind;
  const { uid, resourceVersion } = stored.metadata;
  if (to !== undefined)
    return (await anyPolicy.replace(marked(to, operation, pausesFlux), { uid, resourceVersion }, options)).kind;
  return (await anyPolicy.delete(from ?? stored, { uid, resourceVersion }, options)).kind;
}

/** What a write does to its policy. */
export function verbOf({ from, to }: UndoWrite): "create" | "change" | "delete" {
  if (from === undefined) return "create";
  return to === undefined ? "delete" : "change";
}

function nextOf({ kind }: KubernetesError): string {
  return kind === "forbidden"
    ? "Nothing can be undone while that stands: ask whoever runs what refuses it; for a right, /np help rollback and deploy/README.md say which."
    : "Ask whoever runs what refuses it, or change the policy by hand.";
}
