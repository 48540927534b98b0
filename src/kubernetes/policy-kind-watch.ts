import { lineageOf, type RawPolicy } from "../policy/revision.ts";
import type { Sight } from "../policy/sight.ts";
import type { Connection } from "./connection.ts";
import { parseRawPolicy } from "./raw-policy.ts";
import { collectionPath } from "./resources.ts";
import type { ServedKind } from "./served-kinds.ts";
import type { Change } from "./store.ts";
import { watchCollection } from "./watch.ts";
import type { WatchState } from "./watch-progress.ts";

/** What a complete list had of one kind: what is recorded and is not in it went while nobody watched. */
export type ListedPolicies = {
  readonly cluster: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** What changed later than this is not in it. */
  readonly resourceVersion: string;
  /** The uid of every object, by lineageOf. */
  readonly present: ReadonlyMap<string, string>;
  /** Milliseconds since the epoch. */
  readonly at: number;
};

export type PolicyFollower = {
  /** In the order in which they were seen; those of one list together. */
  readonly onSights: (sights: readonly Sight[]) => void;
  /** After the sights of each complete list. */
  readonly onListed?: (listed: ListedPolicies) => void;
};

export type KindWatch = {
  readonly served: ServedKind;
  state(): WatchState;
  /** The newest form that it knows. */
  find(namespace: string | undefined, name: string): RawPolicy | undefined;
  /** Tells one follower all that is known, as a first list would. */
  replay(follower: PolicyFollower): void;
  close(): Promise<void>;
};

export type KindWatchOptions = PolicyFollower & {
  readonly cluster: string;
  readonly now: () => number;
  readonly onProblem: (error: unknown, path: string) => void;
};

/** One that may not be read is tried again so often, in milliseconds. */
const forbiddenMs = 60_000;

/** Follows one kind of policy in all namespaces, in raw form, and tells what it sees of it. */
export function watchPolicyKind(connection: Connection, served: ServedKind, options: KindWatchOptions): KindWatch {
  const { cluster, now, onSights, onListed, onProblem } = options;
  let ofList: Sight[] = [];
  const watch = watchCollection<RawPolicy>(connection, {
    path: collectionPath(served),
    parse: (raw) => parseRawPolicy(raw, versioned(served)),
    now,
    onProblem,
    forbiddenMs,
    onChange(change) {
      const sight = sightOf(change, cluster, now());
      if (change.source === "list") ofList.push(sight);
      else onSights([sight]);
    },
    onListed(resourceVersion) {
      const sights = ofList;
      ofList = [];
      if (sights.length > 0) onSights(sights);
      onListed?.(listed(resourceVersion));
    },
  });

  function listed(resourceVersion: string): ListedPolicies {
    const present = new Map(
      watch.store.all().map((object) => [lineageOf(keyOf(cluster, object)), object.metadata.uid]),
    );
    const { apiVersion, kind } = versioned(served);
    return { cluster, apiVersion, kind, resourceVersion, present, at: now() };
  }

  return {
    served,
    state: () => watch.state(),
    find: (namespace = "", name) => watch.store.inNamespace(namespace).find(({ metadata }) => metadata.name === name),
    replay(follower) {
      const at = now();
      const sights = watch.store.all().map((object) => firstSight(cluster, object, at));
      if (sights.length > 0) follower.onSights(sights);
      const position = watch.position();
      if (watch.state().synced && position !== "") follower.onListed?.(listed(position));
    },
    close: () => watch.close(),
  };
}

function firstSight(cluster: string, object: RawPolicy, at: number): Sight {
  return { kind: "there", cluster, object, previous: undefined, continuous: false, at };
}

function sightOf(change: Change<RawPolicy>, cluster: string, at: number): Sight {
  const { value: object, source, resourceVersion } = change;
  if (change.kind === "deleted") {
    return { kind: "gone", cluster, object, resourceVersion, continuous: source !== "list", at };
  }
  const previous = change.kind === "updated" ? change.before : undefined;
  const continuous = source === "creation" || (source === "event" && previous !== undefined);
  return { kind: "there", cluster, object, previous, continuous, at };
}

function keyOf(cluster: string, { apiVersion, kind, metadata: { namespace, name } }: RawPolicy) {
  return { cluster, apiVersion, kind, namespace, name };
}

function versioned({ group, version, kind }: ServedKind): Pick<RawPolicy, "apiVersion" | "kind"> {
  return { apiVersion: `${group}/${version}`, kind };
}
