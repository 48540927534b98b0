import { tierName } from "../engines/calico.ts";
import { type Refusal, refusal, refuseProtected } from "../policy/guard.ts";
import { marks } from "../policy/marks.ts";
import { namespaceOf, type UndoPlan, type UndoWrite } from "../policy/undo-plan.ts";
import { isShared } from "./deny-objects.ts";
import type { Settings } from "./services.ts";

/** So many policies at once are written only where the cluster's name was typed after --confirm. */
const mostPolicies = 20;

type Guarded = {
  readonly cluster: string;
  readonly choices: UndoPlan["choices"];
  /** As it is to be typed again. */
  readonly typed: string;
};

/** Why these may not be written, by configuration; undefined where they may. */
export function refuseWrites(settings: Settings, writes: readonly UndoWrite[], guarded: Guarded): Refusal | undefined {
  if (writes.some(isOurTier)) return ourTier;
  const no = refuseNamespaces(settings, [...new Set(writes.map(namespaceOf))], guarded);
  if (no !== undefined) return no;
  const { cluster, choices, typed } = guarded;
  if (writes.length <= mostPolicies || choices.confirm === cluster) return undefined;
  return refusal(
    `it would write ${writes.length} policies at once, and ${mostPolicies} is the most`,
    `Name a namespace or a shorter time; or confirm it by the cluster's name: /np ${typed} --confirm ${cluster}`,
  );
}

/** The same for the namespaces that they are in, or act on from outside. */
export function refuseNamespaces(
  { protectedNamespaces, ownNamespace, clusters }: Settings,
  namespaces: readonly string[],
  { cluster, choices, typed }: Guarded,
): Refusal | undefined {
  if (cluster === clusters.home && namespaces.includes(ownNamespace)) {
    return refusal(
      `${ownNamespace} is Bulkhead's own namespace, and its policies keep the response going`,
      "Change them by hand.",
    );
  }
  return choices.override
    ? undefined
    : namespaces.map((one) => refuseProtected(one, protectedNamespaces, typed)).find((no) => no !== undefined);
}

/** What quarantines rest on in Calico: other than their policies it outlives each of them. */
function isOurTier({ from, to }: UndoWrite): boolean {
  return [from, to].some(
    (image) =>
      image !== undefined &&
      isShared(image) &&
      (image.metadata.name === tierName || image.metadata.labels?.[marks.managedBy] === "bulkhead"),
  );
}

const ourTier = refusal(
  "Bulkhead's tier of Calico holds what cuts pods off, and no rollback writes it",
  "Where nothing is cut off any more, change it by hand.",
);

/** What an override goes beyond, as clauses; `touched` are the namespaces that they are in, or act on from outside. */
export function overriddenBy({ protectedNamespaces }: Settings, touched: readonly string[]): readonly string[] {
  const namespaces = touched.filter((one) => protectedNamespaces.includes(one));
  return [...namespaces.map((one) => `namespace ${one} is protected`), "as many actions within a minute as it takes"];
}
