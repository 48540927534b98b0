import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "../../src/kubernetes/connection.ts";

/** One object of an allowance, from its creation to its end. Times are milliseconds since the epoch, by this machine's clock. */
export type Life = {
  readonly name: string;
  readonly namespace: string;
  readonly operation: string;
  /** What its first rule opens the way to. */
  readonly cidr: string | undefined;
  /** creationTimestamp, which is cut to seconds, plus the newest ttl-seconds. */
  readonly endsAt: number;
  /** When the watch told that it is gone; undefined while it is there. */
  readonly goneAt: number | undefined;
};

/** Sees every allowance object come and go, past every proxy. The API server has to run on this machine: then its clock is this one's. */
export type AllowanceWatcher = {
  lives(): readonly Life[];
  /** By lists alone, some a second: how far past its end the most overdue object was that was still there. */
  mostOverdueMs(): number;
  /** What is there now, by a list. */
  left(): Promise<readonly string[]>;
  /** Throws where the watch ended early: then events may be missing. */
  stop(): Promise<void>;
};

type Policy = {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly egress?: readonly { readonly to?: readonly { readonly ipBlock?: { cidr: string } }[] }[] };
};

type List = { readonly metadata: { readonly resourceVersion: string }; readonly items: readonly Policy[] };
type Event = { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: Policy };

const path = "/apis/networking.k8s.io/v1/networkpolicies";
const ours = /^bulkhead-(a-[0-9a-z]{7})-\d+-\d+-\d+-[0-9a-z]{8}$/;

export async function watchAllowances(admin: Connection, forSeconds: number): Promise<AllowanceWatcher> {
  const stopping = new AbortController();
  const lives = new Map<string, Life>();
  const list = async () => (await admin.request("GET", path)) as List;
  const { metadata, items } = await list();
  for (const object of items) follow(lives, { type: "ADDED", object });
  const query = { watch: "true", resourceVersion: metadata.resourceVersion, timeoutSeconds: `${forSeconds}` };
  const stream = (await admin.stream(path, query, stopping.signal)) as AsyncIterable<Event>;
  const watching = readInto(lives, stream, stopping.signal);
  let most = 0;
  const looking = (async () => {
    while (!stopping.signal.aborted) {
      const found = (await list()).items.flatMap((object) => lifeOf(object) ?? []);
      for (const { endsAt } of found) most = Math.max(most, Date.now() - endsAt);
      await delay(300, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    lives: () => [...lives.values()],
    mostOverdueMs: () => most,
    left: async () => (await list()).items.map(({ metadata: { name } }) => name).filter((name) => ours.test(name)),
    async stop() {
      stopping.abort();
      await looking;
      const problem = await watching;
      if (problem !== undefined) throw problem;
    },
  };
}

async function readInto(
  lives: Map<string, Life>,
  stream: AsyncIterable<Event>,
  stopping: AbortSignal,
): Promise<Error | undefined> {
  try {
    for await (const event of stream) follow(lives, event);
  } catch (error) {
    if (!stopping.aborted) return new Error("the watch of allowances broke", { cause: error });
  }
  return stopping.aborted ? undefined : new Error("the watch of allowances ended early");
}

function follow(lives: Map<string, Life>, { type, object }: Event): void {
  const life = lifeOf(object);
  if (life === undefined) return;
  lives.set(object.metadata.uid, { ...life, goneAt: type === "DELETED" ? Date.now() : undefined });
}

/** Read from the object without Bulkhead's own code, which is what is judged here. */
function lifeOf({ metadata, spec }: Policy): Life | undefined {
  const { name, namespace, creationTimestamp, annotations } = metadata;
  const operation = ours.exec(name)?.[1];
  if (operation === undefined) return undefined;
  const ttlMs = Number(annotations?.["bulkhead.dev/ttl-seconds"]) * 1_000;
  const cidr = spec.egress?.[0]?.to?.[0]?.ipBlock?.cidr;
  return { name, namespace, operation, cidr, endsAt: Date.parse(creationTimestamp) + ttlMs, goneAt: undefined };
}
