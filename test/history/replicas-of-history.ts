import fc from "fast-check";
import type { RawPolicy } from "../../src/policy/revision.ts";
import type { Sight } from "../../src/policy/sight.ts";

/** What happens to one policy, and to the three replicas that watch it. */
type Happening =
  | { readonly kind: "write"; readonly spec: number; readonly label: number }
  | { readonly kind: "delete" }
  /** The replica's watch sees so many of the steps that it has not seen. */
  | { readonly kind: "watch"; readonly replica: number; readonly steps: number }
  /** It was away, and lists anew. */
  | { readonly kind: "list"; readonly replica: number }
  /** It forgets all, what it has not told among it, and lists. */
  | { readonly kind: "restart"; readonly replica: number }
  /** It tells the history so many of what it saw. */
  | { readonly kind: "tell"; readonly replica: number; readonly sights: number };

const replica = fc.nat({ max: 2 });
export const happenings = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("write" as const), spec: fc.nat(2), label: fc.nat(1) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const) }) },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant("watch" as const), replica, steps: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("list" as const), replica }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const), replica }) },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant("tell" as const), replica, sights: fc.integer({ min: 1, max: 3 }) }),
    },
  ),
  { maxLength: 40 },
) satisfies fc.Arbitrary<readonly Happening[]>;

/** One stored step of the truth; `object` is undefined where it was deleted. */
export type Step = {
  readonly resourceVersion: number;
  readonly uid: string;
  readonly object: RawPolicy | undefined;
  readonly previous: RawPolicy | undefined;
};

type Replica = { position: number; cache: RawPolicy | undefined; untold: Sight[] };

/** Plays it, and gives what replicas tell to `tell`, at the end all that they saw, and what a last list says. */
export async function play(
  all: readonly Happening[],
  tell: (sights: readonly Sight[], replica: number) => Promise<void> | void,
) {
  const steps: Step[] = [];
  const replicas: Replica[] = [0, 1, 2].map(() => ({ position: 0, cache: undefined, untold: [] }));
  let version = 100;
  let now = 1_000;
  const current = (): RawPolicy | undefined => steps.at(-1)?.object;
  const tellSome = async (index: number, count: number): Promise<void> => {
    await tell(replicas[index]!.untold.splice(0, count), index);
  };
  const list = (one: Replica): void => {
    one.untold.push(...listed(one.cache, current(), { version: `${version}`, at: now }));
    one.position = steps.length;
    one.cache = current();
  };
  for (const happening of all) {
    now += 10;
    version += 1;
    if (happening.kind === "write") steps.push(written(current(), version, happening));
    if (happening.kind === "delete" && current() !== undefined) steps.push(deleted(current()!, version));
    if (happening.kind === "watch") watch(replicas[happening.replica]!, steps, { count: happening.steps, at: now });
    if (happening.kind === "list") list(replicas[happening.replica]!);
    if (happening.kind === "restart") {
      replicas[happening.replica] = { position: 0, cache: undefined, untold: [] };
      list(replicas[happening.replica]!);
    }
    if (happening.kind === "tell") await tellSome(happening.replica, happening.sights);
  }
  now += 10;
  for (const one of replicas) list(one);
  for (const index of [0, 1, 2]) await tellSome(index, 1_000);
  return { steps, current: current(), version: `${version + 1}`, now };
}

/** What the recorder tells of what the history knows and a list does not have. */
export function gone(object: RawPolicy, resourceVersion: string, at: number): Sight {
  return { kind: "gone", cluster: "main", object, resourceVersion, continuous: false, at };
}

function watch(one: Replica, steps: readonly Step[], { count, at }: { count: number; at: number }): void {
  for (const { object, resourceVersion } of steps.slice(one.position, one.position + count)) {
    one.untold.push(
      object === undefined
        ? {
            kind: "gone",
            cluster: "main",
            object: one.cache!,
            resourceVersion: `${resourceVersion}`,
            continuous: true,
            at,
          }
        : { kind: "there", cluster: "main", object, previous: one.cache, continuous: true, at },
    );
    one.cache = object;
    one.position += 1;
  }
}

function listed(
  cache: RawPolicy | undefined,
  object: RawPolicy | undefined,
  { version, at }: { readonly version: string; readonly at: number },
): readonly Sight[] {
  const isSame = cache?.metadata.uid === object?.metadata.uid;
  const missing = cache !== undefined && !isSame ? [gone(cache, version, at)] : [];
  if (object === undefined || (isSame && cache?.metadata.resourceVersion === object.metadata.resourceVersion))
    return missing;
  const previous = isSame ? cache : undefined;
  return [...missing, { kind: "there", cluster: "main", object, previous, continuous: false, at }];
}

function written(
  previous: RawPolicy | undefined,
  version: number,
  { spec, label }: { spec: number; label: number },
): Step {
  const uid = previous?.metadata.uid ?? `uid-${version}`;
  const object: RawPolicy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p", namespace: "n", uid, resourceVersion: `${version}`, labels: { step: `${label}` } },
    spec: { podSelector: { matchLabels: { spec: `${spec}` } } },
  };
  return { resourceVersion: version, uid, object, previous };
}

function deleted(previous: RawPolicy, version: number): Step {
  return { resourceVersion: version, uid: previous.metadata.uid, object: undefined, previous };
}
