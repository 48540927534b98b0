import type { PolicyKey, RawPolicy } from "../policy/revision.ts";
import type { Connection } from "./connection.ts";
import { type Discovery, watchServedKinds } from "./discovery.ts";
import { createFollowers, createProblems } from "./policy-followers.ts";
import { type KindWatch, type ListedPolicies, type PolicyFollower, watchPolicyKind } from "./policy-kind-watch.ts";
import { collectionPath, resources } from "./resources.ts";
import { distinctKinds, type Served, type ServedKind } from "./served-kinds.ts";
import type { WatchState } from "./watch-progress.ts";

/** How one kind is followed. */
export type FollowedKind = Pick<ServedKind, "group" | "version" | "plural" | "kind"> & { readonly state: WatchState };

/** Every policy of every API that the cluster serves, followed in raw form. */
export type PolicyWatch = {
  /** Tells the follower all that is known, as a first list does, and then all that is seen; the answer ends that. */
  follow(follower: PolicyFollower): () => void;
  /** The newest form that the watch knows; undefined where it knows none, or the kind is not followed. */
  current(key: Omit<PolicyKey, "cluster">): RawPolicy | undefined;
  /** The kinds that are followed now, NetworkPolicy first. */
  kinds(): readonly FollowedKind[];
  close(): Promise<void>;
};

export type PolicyWatchOptions = {
  readonly cluster: string;
  readonly now: () => number;
  /** Told of failures of watches and of discovery, and of followers that throw; it must not throw. */
  readonly onProblem: (error: unknown, path: string) => void;
  /** How often it looks which kinds are served, in milliseconds. Default 45 000, give or take a fifth. */
  readonly discoverMs?: number;
};

const networkPolicy: ServedKind = {
  ...resources.policies,
  kind: "NetworkPolicy",
  id: "networking.k8s.io/v1/networkpolicies",
};

/**
 * NetworkPolicy is followed at once, other kinds as they are found to be served. Of one kind the order of sights is that of
 * the server; between kinds there is none.
 */
export function watchPolicies(connection: Connection, options: PolicyWatchOptions): PolicyWatch {
  const followers = createFollowers(options.onProblem);
  let discovery: Discovery | undefined;
  const problems = createProblems(options.onProblem, () => discovery?.hurry());
  const running = new Map<string, KindWatch>();
  const start = (served: ServedKind): void => {
    const onListed = (listed: ListedPolicies): void => {
      problems.worked(collectionPath(served));
      followers.all.onListed(listed);
    };
    const told = { onSights: followers.all.onSights, onListed, onProblem: problems.report };
    running.set(keyOf(served), watchPolicyKind(connection, served, { ...options, ...told }));
  };
  const stop = async (kind: KindWatch): Promise<void> => {
    running.delete(keyOf(kind.served));
    await kind.close();
  };
  start(networkPolicy);
  discovery = watchServedKinds(connection, options.discoverMs ?? 45_000, async (served) => {
    problems.undiscovered(served);
    await Promise.all(superseded([...running.values()], served).map(stop));
    for (const kind of toFollow(served)) if (!running.has(keyOf(kind))) start(kind);
  });

  return {
    follow(follower) {
      for (const kind of running.values()) kind.replay(followers.guarded(follower));
      return followers.add(follower);
    },
    current({ apiVersion, kind, namespace, name }) {
      const group = apiVersion.split("/")[0];
      const of = [...running.values()].find(({ served }) => served.group === group && served.kind === kind);
      return of?.find(namespace, name);
    },
    kinds: () => [...running.values()].map(followed),
    async close() {
      await discovery?.close();
      await Promise.all([...running.values()].map((kind) => kind.close()));
    },
  };
}

function followed(watch: KindWatch): FollowedKind {
  const { group, version, plural, kind } = watch.served;
  return { group, version, plural, kind, state: watch.state() };
}

/** In whatever version. */
function keyOf({ group, plural }: Pick<ServedKind, "group" | "plural">): string {
  return `${group}/${plural}`;
}

/** One that lies elsewhere where that is served waits until it is known that it is not. */
function toFollow({ kinds, unread }: Served): readonly ServedKind[] {
  return distinctKinds(kinds).filter(
    ({ unless }) => !unread.some(({ groupVersion }) => unless?.startsWith(groupVersion)),
  );
}

/**
 * Watches that are of no more use: their kind is not found any more, or is followed otherwise. That discovery does not
 * name a kind is not enough: a server that starts serves it before it says so.
 */
function superseded(running: readonly KindWatch[], served: Served): readonly KindWatch[] {
  if (served.why !== undefined) return [];
  const wanted = toFollow(served);
  const isUnread = ({ group, version }: ServedKind): boolean =>
    served.unread.some(({ groupVersion }) => groupVersion === `${group}/${version}`);
  return running.filter((watch) => {
    if (watch.served.id === networkPolicy.id || isUnread(watch.served)) return false;
    if (wanted.some(({ id }) => id === watch.served.id)) return false;
    const isElsewhere = served.kinds.some(({ id }) => id === watch.served.id || id === watch.served.unless);
    return isElsewhere || watch.state().problem?.kind === "not-found";
  });
}
