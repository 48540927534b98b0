import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { JsonPatchOperation } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import { clock } from "./allow-words.ts";
import { setTimers } from "./allowance-timers.ts";
import { objectsOfAllowance } from "./find-allowance.ts";
import { clusterOf, type Services } from "./services.ts";

/** The TTL on exactly the object that was read. */
export function ttlPatch({ metadata }: Manifest, ttlSeconds: number): readonly JsonPatchOperation[] {
  const { uid, resourceVersion, annotations } = metadata;
  return [
    { op: "test", path: "/metadata/uid", value: uid },
    { op: "test", path: "/metadata/resourceVersion", value: resourceVersion },
    ...(annotations === undefined ? [{ op: "add", path: "/metadata/annotations", value: {} } as const] : []),
    { op: "add", path: `/metadata/annotations/${marks.ttlSeconds.replace("/", "~1")}`, value: String(ttlSeconds) },
  ];
}

/** The operation with a headline that says until when it holds now. */
export function withEnd(operation: Operation): Operation {
  const { result, allowance } = operation;
  if (result === undefined || allowance?.endsAt === undefined) return operation;
  const headline = result.headline.replace(/ until [^:]+(?::\d\d){2} UTC/, ` until ${clock(allowance.endsAt)}`);
  return { ...operation, result: { ...result, headline } };
}

/** Once more after the change, so that none is left that wakes nobody up; earlier ones find that it is too early. */
export async function setTimersOf(services: Services, { id, target }: Operation): Promise<void> {
  const { cluster } = clusterOf(services, target.cluster);
  const now = cluster.serverTime()?.earliestMs;
  for (const { object, known } of await objectsOfAllowance(cluster, id)) {
    const { namespace, name } = object.metadata;
    const inMs = now === undefined ? 0 : Math.max(0, known.endsAt - now);
    await setTimers(services, cluster, [{ namespace, name, operation: id }], inMs);
  }
}
