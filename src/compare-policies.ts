import type { History, Known } from "./history/history.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import type { ListedPolicies } from "./kubernetes/policy-kind-watch.ts";
import { lineageOf, type PolicyKey, type RawPolicy } from "./policy/revision.ts";
import type { Sight } from "./policy/sight.ts";

type Compared = Pick<Cluster, "name" | "followPolicies">;

/**
 * What the history does not know of the policies that the watch knows, as a list would tell it. What the history has in
 * a newer form than the watch is left alone: the watch is behind. Of a kind that was never listed nothing is missing. What
 * is missing and cannot be read in the history is told to `onProblem`, and keeps nothing else waiting.
 */
export async function unrecorded(
  cluster: Compared,
  history: History,
  { now, onProblem }: Comparing,
): Promise<readonly Sight[]> {
  const known = await history.known(cluster.name);
  const { sights, listed } = snapshot(cluster);
  const different = sights.filter(({ object, ...sight }) => {
    const head = known.get(lineageOf({ cluster: sight.cluster, ...keyOf(object) }));
    return head?.resourceVersion !== object.metadata.resourceVersion || head.uid !== object.metadata.uid;
  });
  return [...different, ...listed.flatMap((list) => missingIn(list, known, { now, onProblem }))];
}

/** `now`: milliseconds since the epoch. */
type Comparing = { readonly now: number; readonly onProblem: (error: unknown) => void };

type KnownPolicies = ReadonlyMap<string, Known & { readonly key: PolicyKey }>;

/** A new follower is told all that is known at once. */
function snapshot(cluster: Compared) {
  const sights: Sight[] = [];
  const listed: ListedPolicies[] = [];
  cluster.followPolicies({
    onSights: (some) => void sights.push(...some),
    onListed: (list) => void listed.push(list),
  })();
  return { sights, listed };
}

function missingIn(list: ListedPolicies, known: KnownPolicies, comparing: Comparing): readonly Sight[] {
  const gone = [...known].filter(([lineage, { key, uid, resourceVersion }]) => {
    if (key.kind !== list.kind || groupOf(key) !== groupOf(list)) return false;
    return list.present.get(lineage) !== uid && Number(resourceVersion) <= Number(list.resourceVersion);
  });
  return gone.flatMap(([, one]) => {
    try {
      return [goneBy(list, one, comparing.now)];
    } catch (error) {
      comparing.onProblem(error);
      return [];
    }
  });
}

/** Throws where its last form cannot be read. */
function goneBy({ cluster, resourceVersion }: ListedPolicies, one: Known, at: number): Sight {
  const { uid, image } = one;
  const metadata = { ...image.metadata, uid, resourceVersion: one.resourceVersion };
  const object: RawPolicy = { ...image, metadata };
  return { kind: "gone", cluster, object, resourceVersion, continuous: false, at };
}

function keyOf({ apiVersion, kind, metadata: { namespace, name } }: RawPolicy): Omit<PolicyKey, "cluster"> {
  return { apiVersion, kind, namespace, name };
}

function groupOf({ apiVersion }: { readonly apiVersion: string }): string {
  return apiVersion.split("/")[0] ?? "";
}
