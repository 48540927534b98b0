import type { Connection } from "../../src/kubernetes/connection.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Labels, NetworkPolicySpec } from "../../src/policy/objects.ts";

/** A pod or a NetworkPolicy as a watch showed it. */
export type Recorded = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly of: "pods" | "networkpolicies";
  readonly object: {
    readonly metadata: {
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly deletionTimestamp?: string;
      readonly labels?: Labels;
      readonly ownerReferences?: readonly { readonly kind: string; readonly uid: string }[];
    };
    readonly spec: NetworkPolicySpec & { readonly nodeName?: string };
  };
};

/** Every event of a namespace's pods and policies since it was begun. */
export type Recording = {
  /** In the order in which the server stored them: all of its objects share one sequence of resourceVersions. */
  events(): readonly Recorded[];
  /** Of the pod with this uid. */
  ofPod(uid: string): readonly Recorded[];
  /** The kind of the pod's owner by its newest event; undefined where none owns it. */
  ownerOf(uid: string): string | undefined;
  wasDeleted(uid: string): boolean;
  /** Throws where a watch ended early: then events may be missing. */
  stop(): Promise<void>;
};

/** Begins two watches, of `forSeconds` at most; returns when both are open. What is there already counts as added. */
export async function recordNamespace(admin: Connection, namespace: string, forSeconds = 600): Promise<Recording> {
  const stopping = new AbortController();
  const seen: Recorded[] = [];
  const follow = async (of: Recorded["of"], path: string) => {
    const { metadata, items } = (await admin.request("GET", path)) as List;
    seen.push(...items.map((object) => ({ type: "ADDED" as const, of, object })));
    const query = { watch: "true", resourceVersion: metadata.resourceVersion, timeoutSeconds: `${forSeconds}` };
    const stream = (await admin.stream(path, query, stopping.signal)) as AsyncIterable<Omit<Recorded, "of">>;
    return { ended: readInto(seen, of, stream, stopping.signal) };
  };
  const followed = await Promise.all([
    follow("pods", `/api/v1/namespaces/${namespace}/pods`),
    follow("networkpolicies", `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`),
  ]);
  const events = () => seen.toSorted((a, b) => version(a) - version(b));
  const ofPod = (uid: string) => events().filter(({ of, object }) => of === "pods" && object.metadata.uid === uid);
  return {
    events,
    ofPod,
    ownerOf: (uid) => ofPod(uid).at(-1)?.object.metadata.ownerReferences?.[0]?.kind,
    wasDeleted: (uid) => ofPod(uid).at(-1)?.type === "DELETED",
    async stop() {
      stopping.abort();
      for (const ended of await Promise.all(followed.map((one) => one.ended))) if (ended !== undefined) throw ended;
    },
  };
}

type List = {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Recorded["object"][];
};

/** Answers with what ended it before it was to stop. */
async function readInto(
  seen: Recorded[],
  of: Recorded["of"],
  stream: AsyncIterable<Omit<Recorded, "of">>,
  stopping: AbortSignal,
): Promise<Error | undefined> {
  try {
    for await (const event of stream) seen.push({ ...event, of });
  } catch (error) {
    if (stopping.aborted) return undefined;
    return new Error(`the watch of ${of} broke`, { cause: error });
  }
  return stopping.aborted ? undefined : new Error(`the watch of ${of} ended early`);
}

function version({ object }: Recorded): number {
  return Number(object.metadata.resourceVersion);
}

/**
 * Which policies selected the pod, by name, after each recorded event from its first one until it is gone; repetitions
 * are left out. An empty list is an open moment.
 */
export function coverage(recording: Recording, uid: string): readonly (readonly string[])[] {
  const policies = new Map<string, Labels>();
  const moments: (readonly string[])[] = [];
  let labels: Labels | undefined;
  for (const event of recording.events()) {
    if (event.of === "networkpolicies") follow(policies, event);
    else if (event.object.metadata.uid === uid) labels = labelsAfter(event);
    const now = labels && selecting(policies, labels);
    if (now !== undefined && now.join() !== moments.at(-1)?.join()) moments.push(now);
  }
  return moments;
}

function follow(policies: Map<string, Labels>, { type, object: { metadata, spec } }: Recorded): void {
  if (type === "DELETED") policies.delete(metadata.name);
  else policies.set(metadata.name, spec.podSelector?.matchLabels ?? {});
}

function labelsAfter({ type, object }: Recorded): Labels | undefined {
  return type === "DELETED" ? undefined : (object.metadata.labels ?? {});
}

function selecting(policies: ReadonlyMap<string, Labels>, labels: Labels): readonly string[] {
  return [...policies]
    .filter(([, wanted]) => Object.entries(wanted).every(([key, value]) => labels[key] === value))
    .map(([name]) => name)
    .toSorted();
}

/** The labels that the pod had one after the other, as JSON text; the server sorts them. */
export function labelsOverTime(recording: Recording, uid: string): readonly string[] {
  const texts = recording.ofPod(uid).map(({ object }) => JSON.stringify(object.metadata.labels ?? {}));
  return texts.filter((text, index) => text !== texts[index - 1]);
}

/** The labels with the quarantine label among them, as the server writes them. */
export function marked(labels: Labels, operation: string): string {
  const all = Object.entries({ ...labels, [marks.quarantine]: operation });
  return JSON.stringify(Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}
