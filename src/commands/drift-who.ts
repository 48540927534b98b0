import type { Cluster } from "../kubernetes/cluster.ts";
import { authorWords } from "../policy/author-words.ts";
import type { DriftRecord } from "../policy/drift.ts";
import { manifestName } from "../policy/manifest.ts";
import { fieldManagers } from "../policy/marks.ts";
import type { Operation } from "../policy/operation.ts";
import { type Author, type RawPolicy, type Revision, referenceOf } from "../policy/revision.ts";
import { inTime } from "./clusters.ts";
import { clusterOf, type Services } from "./services.ts";

/** Who made a drift, in words, and by which revision; neither where it is not known. */
export type Authored = Pick<DriftRecord, "who" | "revision">;

/** A change is in the history a moment after it was seen. */
const againAfterMs = 250;
const lookBackMs = 60_000;
/** It is told in time, whoever it was. */
const withinMs = 700;

/** By the history of policies, which may be a moment behind, else by the object itself; nothing of what is about a pod. Never rejects. */
export async function authorOf(services: Services, operation: Operation, record: DriftRecord): Promise<Authored> {
  if (isOfPod(record)) return {};
  const [said, recorded] = await Promise.all(
    [byObject(services, operation, record), byHistory(services, operation, record)].map((found) =>
      inTime(found, withinMs).catch((): Authored => ({})),
    ),
  );
  return { ...said, ...recorded };
}

async function byHistory(services: Services, operation: Operation, record: DriftRecord, tries = 3): Promise<Authored> {
  const { history } = services;
  if (history === undefined) return {};
  const { cluster, namespace } = operation.target;
  const since = services.now() - lookBackMs;
  const lists = await Promise.all(
    [namespace, ""].map((where) => history.list({ cluster, namespace: where, since, limit: 50 })),
  );
  const revision = lists.flat().find((one) => isAbout(one, record));
  if (revision !== undefined) return { ...whoOf(revision.authors), revision: revision.id };
  if (tries <= 1) return {};
  await services.wait(againAfterMs);
  return byHistory(services, operation, record, tries - 1);
}

function isOfPod({ kind }: DriftRecord): boolean {
  return kind === "label-off" || kind === "labels-back" || kind === "label-copied";
}

/** What re-opens is told by the policy's name alone. */
function isAbout(revision: Revision, { object, policy }: DriftRecord): boolean {
  const name = manifestName(referenceOf(revision));
  if (object !== undefined) return name === manifestName(object);
  return policy !== undefined && (name === policy || name === `NetworkPolicy ${revision.namespace}/${policy}`);
}

function whoOf(authors: readonly Author[]): Pick<Authored, "who"> {
  return authors.length === 0 ? {} : { who: authorWords(authors) };
}

/** What the object as it is now says of who wrote it last, which any client may claim; Bulkhead itself was first. */
async function byObject(services: Services, { target }: Operation, record: DriftRecord): Promise<Authored> {
  const { cluster } = clusterOf(services, target.cluster);
  const raw = await policyOf(cluster, target.namespace, record);
  const ours: ReadonlySet<string> = new Set(Object.values(fieldManagers));
  const entries = raw?.metadata.managedFields?.filter(
    ({ manager = "", subresource }) => subresource === undefined && !ours.has(manager),
  );
  const last = entries?.toSorted((a, b) => ((a.time ?? "") < (b.time ?? "") ? 1 : -1))[0];
  if (last?.manager === undefined) return {};
  const { manager, operation = "Update", time } = last;
  return whoOf([{ kind: "manager", manager, operation, at: time }]);
}

async function policyOf(
  cluster: Cluster,
  namespace: string,
  { kind, object, policy }: DriftRecord,
): Promise<RawPolicy | undefined> {
  if (kind === "object-deleted") return undefined;
  if (object !== undefined) return cluster.anyPolicy.read(object);
  const name = policy?.split(" ")[0] ?? "";
  const key = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", namespace, name };
  return cluster.currentPolicy(key);
}
