import type { Connection } from "../../src/kubernetes/connection.ts";
import { imageOf, type RawPolicy, sameImage, specHash } from "../../src/policy/revision.ts";

/** One stored step of a policy; `after` is undefined where it was deleted. */
export type TrueStep = {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly before: RawPolicy | undefined;
  readonly after: RawPolicy | undefined;
  /** When this watch saw it, milliseconds since the epoch. */
  readonly at: number;
};

/** Every step of every NetworkPolicy of a namespace, past every proxy. */
export type PolicyTruth = {
  steps(): readonly TrueStep[];
  /** What is there now, by a list. */
  current(): Promise<readonly RawPolicy[]>;
  /** Throws where the watch ended early: then steps may be missing. */
  stop(): Promise<void>;
};

type Event = { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: RawPolicy };
type List = { readonly metadata: { readonly resourceVersion: string }; readonly items: readonly RawPolicy[] };

/** The namespace has no policies yet. */
export async function watchTruth(admin: Connection, namespace: string, forSeconds: number): Promise<PolicyTruth> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
  const kind = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
  const list = async () => (await admin.request("GET", path)) as List;
  const { metadata } = await list();
  const stopping = new AbortController();
  const query = { watch: "true", resourceVersion: metadata.resourceVersion, timeoutSeconds: `${forSeconds}` };
  const stream = (await admin.stream(path, query, stopping.signal)) as AsyncIterable<Event>;
  const steps: TrueStep[] = [];
  const newest = new Map<string, RawPolicy>();
  const reading = (async () => {
    for await (const { type, object } of stream) {
      const { name, uid, resourceVersion } = object.metadata;
      const after = type === "DELETED" ? undefined : object;
      steps.push({ name, uid, resourceVersion, before: newest.get(uid), after, at: Date.now() });
      if (after === undefined) newest.delete(uid);
      else newest.set(uid, after);
    }
  })().catch((error: unknown) => (stopping.signal.aborted ? undefined : error));
  return {
    steps: () => steps,
    current: async () => (await list()).items.map((object) => ({ ...object, ...kind })),
    async stop() {
      const endedEarly = await Promise.race([reading.then(() => true), Promise.resolve(false)]);
      stopping.abort();
      const error = await reading;
      if (endedEarly || error !== undefined) throw new Error("the watch of the truth ended early", { cause: error });
    },
  };
}

/** Whether it is a revision: it was made or deleted, or its spec changed. */
export function isRevision({ before, after }: TrueStep): boolean {
  if (before === undefined || after === undefined) return true;
  return specHash(imageOf(before)) !== specHash(imageOf(after));
}

export function isImageOf(image: Parameters<typeof sameImage>[0], object: RawPolicy | undefined): boolean {
  return sameImage(image, object === undefined ? undefined : imageOf(object));
}
