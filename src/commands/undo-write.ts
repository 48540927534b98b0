import type { Cluster } from "../kubernetes/cluster.ts";
import { KubernetesError } from "../kubernetes/failure.ts";
import { pausedBy } from "../policy/flux-pause.ts";
import { manifestName } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { ObjectVersion } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import { imageOf, type RawPolicy, sameImage } from "../policy/revision.ts";
import type { UndoWrite } from "../policy/undo-plan.ts";
import type { Hold } from "./hold.ts";
import type { Services } from "./services.ts";
import { attributeUndo } from "./undo-author.ts";
import { marked, objectOf } from "./undo-rehearsal.ts";

/** One write as it came out. */
export type Written = {
  readonly write: UndoWrite;
  /** `us`; else it was so already, and by whom as far as the object tells. */
  readonly by: string;
  /** Of what is there now. */
  readonly resourceVersion: string | undefined;
  /** Why what was read back is not what was to be, a clause; undefined where it is, to the byte. */
  readonly differs: string | undefined;
};

type Writing = {
  readonly services: Services;
  readonly cluster: Cluster;
  readonly operation: Operation;
  readonly hold: Pick<Hold, "owe">;
  /** Throws where it may not be written any more; asked where there is something to write. */
  readonly check: () => Promise<void>;
};

/** Throws where the policy is neither as it was planned from nor as it is to be: nothing is written then. */
export async function writeUndo(writing: Writing, write: UndoWrite, tries = 5): Promise<Written> {
  const { cluster, operation } = writing;
  const stored = await cluster.anyPolicy.read(objectOf(write));
  const image = stored && imageOf(stored);
  if (sameImage(image, write.to)) return already(writing, write, stored);
  if (!sameImage(image, write.from))
    throw new Error(`${manifestName(objectOf(write))} was changed by somebody since the plan`);
  if (stored?.metadata.deletionTimestamp !== undefined) {
    throw new Error(`${manifestName(objectOf(write))} is being deleted, and a finalizer keeps it there`);
  }
  await writing.check();
  // Only labels that are no part of an image, or a status, came between: it is read and compared again.
  const answer = await send(cluster, write, { operation: operation.id, stored });
  if (answer === "conflict") {
    if (tries <= 1) throw new Error(`${manifestName(objectOf(write))} kept changing`);
    return writeUndo(writing, write, tries - 1);
  }
  await attribute(writing, write, answer ?? stored);
  return readBack(writing, write);
}

type Sending = { readonly operation: string; readonly stored: RawPolicy | undefined };

/** The object as it was stored; undefined where it was deleted. */
async function send(
  { anyPolicy }: Cluster,
  { to, from, pausesFlux }: UndoWrite,
  { operation, stored }: Sending,
): Promise<RawPolicy | undefined | "conflict"> {
  if (to === undefined) return from === undefined || stored === undefined ? "conflict" : deleted(anyPolicy, stored);
  if (stored === undefined) {
    const made = await anyPolicy.create(marked(to, operation, pausesFlux));
    return made.kind === "created" ? made.object : "conflict";
  }
  const changed = await anyPolicy.replace(marked(to, operation, pausesFlux), versionOf(stored));
  return changed.kind === "replaced" ? changed.object : "conflict";
}

/** Where an answer was lost the object decides: gone, or on its way, it is what was sent that made it so. */
async function deleted(anyPolicy: Cluster["anyPolicy"], stored: RawPolicy): Promise<undefined | "conflict"> {
  const sent = await anyPolicy.delete(stored, versionOf(stored)).catch(lost);
  if ("kind" in sent && sent.kind === "deleted") return undefined;
  if ("kind" in sent && sent.isRetried === undefined) return "conflict";
  const now = await anyPolicy.read(stored).catch((error: unknown) => {
    throw "failure" in sent ? sent.failure : error;
  });
  if (now?.metadata.uid !== stored.metadata.uid || now.metadata.deletionTimestamp !== undefined) return undefined;
  if ("failure" in sent) throw sent.failure;
  return "conflict";
}

function lost(failure: unknown): { readonly failure: KubernetesError } {
  if (failure instanceof KubernetesError && failure.mayHaveTakenEffect) return { failure };
  throw failure;
}

function versionOf({ metadata: { uid, resourceVersion } }: RawPolicy): ObjectVersion {
  return { uid, resourceVersion };
}

/** Its own earlier try, a replica's that is gone, or somebody else's: the mark tells, and of what is gone whether this is a second try. */
async function already(writing: Writing, write: UndoWrite, stored: RawPolicy | undefined): Promise<Written> {
  const { operation } = writing;
  const mark = stored?.metadata.annotations?.[marks.undo];
  const isOurs = stored === undefined ? isSecondTry(operation) : mark === operation.id;
  if (isOurs) await attribute(writing, write, stored);
  const by = isOurs ? "us" : (mark ?? "somebody else");
  return { write, by, resourceVersion: stored?.metadata.resourceVersion, differs: undefined };
}

function isSecondTry({ steps }: Operation): boolean {
  return steps.some(({ step }) => step.startsWith("taken over by"));
}

/** Whose change it was, told beside the object. Never in the way: what could not be stored is owed. */
async function attribute(
  { services, cluster, operation, hold }: Writing,
  write: UndoWrite,
  stored: RawPolicy | undefined,
): Promise<void> {
  const uid = stored?.metadata.uid ?? write.uid;
  const resourceVersion = write.to === undefined ? "deleted" : stored?.metadata.resourceVersion;
  if (uid === undefined || resourceVersion === undefined) return;
  try {
    await attributeUndo(services, operation, { cluster: cluster.name, uid, resourceVersion });
  } catch (error) {
    hold.owe();
    services.meter({ kind: "error", where: "attribute undo", message: String(error) });
  }
}

/** What the server made of it, its webhooks included. */
async function readBack({ cluster, operation }: Writing, write: UndoWrite): Promise<Written> {
  const stored = await cluster.anyPolicy.read(objectOf(write));
  const image = stored && imageOf(stored);
  const resourceVersion = stored?.metadata.resourceVersion;
  const written = { write, by: "us", resourceVersion };
  if (sameImage(image, write.to)) return { ...written, differs: unpaused(operation, write, stored) };
  if (write.to === undefined) return { ...written, differs: notGone(stored) };
  return {
    ...written,
    differs:
      stored === undefined
        ? "written, and gone again when it was read back"
        : "written, but not as it was before: the API server, or somebody since, made something else of it",
  };
}

function unpaused({ id }: Operation, { pausesFlux }: UndoWrite, stored: RawPolicy | undefined): string | undefined {
  if (pausesFlux !== true || (stored !== undefined && pausedBy(stored) === id)) return undefined;
  return "written as it was before, but the annotation that holds Flux back is not on it: Flux will write it again";
}

function notGone(stored: RawPolicy | undefined): string {
  return stored?.metadata.deletionTimestamp === undefined
    ? "deleted, and somebody made one of its name again"
    : "being deleted: a finalizer keeps it there, and in force, until whoever set it takes it off";
}
