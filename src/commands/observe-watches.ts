import type { Evidence } from "../flows/evidence.ts";
import type { Interest } from "../flows/interests.ts";
import type { Sighting } from "../flows/sighting.ts";
import type { Count } from "../policy/observed.ts";
import type { Operation } from "../policy/operation.ts";
import { interestsOf, type Watch, type Watched, watchOf } from "./observe-index.ts";
import { aroundMs, type Notes } from "./observe-notes.ts";
import type { Services } from "./services.ts";

/** What is looked at in all clusters, as it was looked up last. */
export type Watches = {
  /** Looks one cluster up, and takes note of what was seen of what is new there. Throws where it cannot be read: then it is as before. */
  look(cluster: string, live: readonly Operation[]): Promise<void>;
  /** The operations whose pods the flow is from or to. */
  concernedBy(sighting: Sighting): readonly Watched[];
  /** Those, and of what is denied the operations in the namespace. */
  near(sighting: Sighting): readonly Watched[];
  all(): readonly Watched[];
  interests(): readonly Interest[];
};

export function createWatches(services: Services, evidence: Evidence, notes: Notes): Watches {
  const watches = new Map<string, Watch>();
  const concernedBy = ({ cluster, fromPod, toPod }: Sighting): readonly Watched[] => {
    const byUid = watches.get(cluster)?.byUid;
    if (byUid === undefined || byUid.size === 0) return [];
    const found = [fromPod, toPod].flatMap((pod) => (pod === undefined ? [] : (byUid.get(pod.uid) ?? [])));
    return found.length < 2 ? found : [...new Set(found)];
  };
  const near = (sighting: Sighting): readonly Watched[] => {
    const concerned = concernedBy(sighting);
    const around = isDenied(sighting) ? (watches.get(sighting.cluster)?.watched ?? []) : [];
    const others = around.filter((one) => !concerned.includes(one) && isIn(one.operation.target.namespace, sighting));
    return others.length === 0 ? concerned : [...concerned, ...others];
  };
  return {
    concernedBy,
    near,
    async look(cluster, live) {
      const before = new Map(watches.get(cluster)?.watched.map(({ operation }) => [operation.id, operation.state]));
      const watch = await watchOf(services, cluster, live);
      watches.set(cluster, watch);
      for (const watched of watch.watched) {
        const known = before.get(watched.operation.id);
        if (known === watched.operation.state) continue;
        for (const [sighting, seen] of seenAround(evidence, watched)) {
          if (!near(sighting).includes(watched)) continue;
          if (known === undefined) notes.take(watched, sighting, seen);
          else notes.judgeAgain(watched, sighting, seen);
        }
      }
    },
    all: () => [...watches.values()].flatMap(({ watched }) => watched),
    interests: () => [...watches].flatMap(([cluster, watch]) => interestsOf(watch, cluster)),
  };
}

/** What came before anybody knew of the operation, or that it is in force. */
function seenAround(evidence: Evidence, { operation }: Watched): readonly (readonly [Sighting, Count])[] {
  const at = operation.confirmed?.at ?? operation.origin.at;
  const within = { fromMs: at - aroundMs, toMs: at + aroundMs };
  return evidence.around(operation.target.cluster, within).map(({ sighting, count, atLeast }) => {
    const { fromMs, toMs } = sighting.record;
    return [sighting, { count, atLeast, firstAt: fromMs, lastAt: toMs }];
  });
}

function isDenied({ record: { verdict } }: Sighting): boolean {
  return verdict.kind === "denied" || verdict.kind === "audited";
}

function isIn(namespace: string, { from, to }: Sighting): boolean {
  return [from, to].some((place) => place.kind === "workload" && place.namespace === namespace);
}
