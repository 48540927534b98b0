import type { Cluster } from "../kubernetes/cluster.ts";
import { manifestName } from "../policy/manifest.ts";
import type { Image, OwnerReference } from "../policy/revision.ts";
import type { UndoWrite } from "../policy/undo-plan.ts";

type Owned = { readonly writes: readonly UndoWrite[]; readonly warnings: readonly string[] };

/**
 * The writes without references to owners that are gone: the garbage collector would delete the policy with them. What could
 * not be asked stays, and is said.
 */
export async function withoutDeadOwners(cluster: Cluster, writes: readonly UndoWrite[]): Promise<Owned> {
  const owned = await Promise.all(writes.map((write) => withoutDead(cluster, write)));
  return { writes: owned.map(({ write }) => write), warnings: owned.flatMap(({ warnings }) => warnings) };
}

async function withoutDead(
  cluster: Cluster,
  write: UndoWrite,
): Promise<{ readonly write: UndoWrite; readonly warnings: readonly string[] }> {
  const { to } = write;
  const { ownerReferences = [], namespace } = to?.metadata ?? {};
  if (to === undefined || ownerReferences.length === 0) return { write, warnings: [] };
  const lives = await Promise.all(ownerReferences.map((owner) => cluster.anyPolicy.ownerExists(owner, namespace)));
  const dead = ownerReferences.filter((_, index) => lives[index] === false);
  const unsure = ownerReferences.filter((_, index) => lives[index] === undefined);
  const warnings = [
    ...dead.map((owner) => `${manifestName(to)} comes back without its owner ${ownerName(owner)}, which is gone.`),
    ...unsure.map(
      (owner) =>
        `Whether its owner ${ownerName(owner)} is there could not be asked; where it is not, ${manifestName(to)} is deleted again by the garbage collector.`,
    ),
  ];
  return { write: dead.length === 0 ? write : { ...write, to: withOwners(to, dead) }, warnings };
}

function withOwners(image: Image, dead: readonly OwnerReference[]): Image {
  const { ownerReferences = [], ...metadata } = image.metadata;
  const left = ownerReferences.filter((owner) => !dead.includes(owner));
  return { ...image, metadata: left.length === 0 ? metadata : { ...metadata, ownerReferences: left } };
}

function ownerName({ kind, name }: OwnerReference): string {
  return `${kind} ${name}`;
}
