import type { Cluster } from "../kubernetes/cluster.ts";
import { parseAllowanceName } from "../policy/allowance.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { AllowanceEnd, Operation } from "../policy/operation.ts";
import type { Closed } from "./close-allowance.ts";
import { inTime } from "./clusters.ts";
import type { Outlet } from "./desk.ts";
import { type AllowanceEnding, auditEnded, showEnded } from "./end-allowance.ts";
import { rebuiltAllowance } from "./rebuild-allowance.ts";
import type { Services } from "./services.ts";
import { inEnd, tracedOutlet } from "./tracing.ts";

/** Which net closed something. */
export type Net = "timer" | "memory" | "sweep" | "reaper";

/** An object that is gone, and when that was seen by the API server's clock at the latest. */
export type GoneObject = Closed & { readonly net: Net | undefined };

/** What became of the objects of one operation, as far as this replica saw it; `audited` once that is written. */
export type Gone = {
  readonly cluster: Cluster;
  readonly objects: Map<string, GoneObject>;
  audited: string | undefined;
};

type Parts = { readonly services: Services; readonly outletFor: (operation: Operation) => Outlet };

/**
 * Tells the end of the operation, where nothing of it is left; whether there is no more to tell. Throws where something could
 * not be done: to be called again.
 */
export async function tellGone({ services, outletFor }: Parts, id: string, gone: Gone): Promise<boolean> {
  const { isRead, stored } = await readStored(services, id);
  // Whoever carries it out tells how that ended.
  if (stored?.allowance?.ended !== undefined || stored?.state === "running") return true;
  if (await isAnyLeft(id, gone, stored)) return false;
  const ending = endingOf(gone, stored);
  if (ending === undefined) return true;
  // Whether a person ended it through Bulkhead, the record alone tells.
  if (!isRead && ending.end.why === "gone") return false;
  await inEnd(services, ending.operation, ending.end, async () => {
    gone.audited ??= await auditEnded(services, ending);
    const traced = (operation: Operation) => tracedOutlet(services, outletFor(operation));
    await showEnded(services, { ...ending, audited: gone.audited }, traced);
  });
  return true;
}

async function readStored(services: Services, id: string) {
  try {
    return { isRead: true, stored: await inTime(services.operations.get(id)) };
  } catch {
    return { isRead: false, stored: undefined };
  }
}

/** Undefined where neither a record nor an object is known. */
function endingOf({ cluster, objects: seen }: Gone, stored: Operation | undefined): AllowanceEnding | undefined {
  const objects = [...seen.values()];
  if (stored === undefined && objects.length === 0) return undefined;
  const operation =
    stored ??
    rebuiltAllowance(
      cluster.name,
      objects.map(({ object }) => object),
    );
  return { operation, end: endOf(cluster, operation, objects), detail: detailOf(objects) };
}

/**
 * By its plan's names, whatever labels the objects have now; by the label where the plan is lost. Asked of the cluster even
 * of those that somebody saw go: another try may have written them anew.
 */
async function isAnyLeft(id: string, { cluster }: Gone, stored: Operation | undefined): Promise<boolean> {
  if (stored?.plan?.kind !== "allow") {
    const labelled = await cluster.listPolicies(`${marks.operation}=${id}`);
    return labelled.some(({ metadata }) => parseAllowanceName(metadata.name)?.operation === id);
  }
  const found = await Promise.all(stored.plan.objects.map((object) => cluster.getObject(object)));
  return found.some((object) => object !== undefined);
}

function placeOf({ metadata: { namespace, name } }: Pick<Manifest, "metadata">): string {
  return `${namespace}/${name}`;
}

function endOf(cluster: Cluster, operation: Operation, objects: readonly GoneObject[]): AllowanceEnd {
  if (objects.length === 0) return foundEnd(cluster, operation);
  const at = Math.max(...objects.map((object) => object.at));
  const lateMs = Math.max(...objects.map((object) => object.lateMs));
  const isExpired = objects.every((object) => object.net !== undefined || object.lateMs >= 0);
  return { at, lateMs, why: isExpired ? "expired" : "gone" };
}

/** What nobody saw go, and is gone after its end, has expired: when, is known no closer than this. */
function foundEnd(cluster: Cluster, { allowance, state }: Operation): AllowanceEnd {
  const endsAt = allowance?.endsAt;
  const at = Math.ceil(cluster.serverTime()?.latestMs ?? endsAt ?? 0);
  if (endsAt === undefined) return { at, lateMs: 0, why: state === "failed" ? "unseen" : "gone" };
  const lateMs = at - endsAt;
  return { at, lateMs, why: lateMs >= 0 ? "expired" : "gone" };
}

function detailOf(objects: readonly GoneObject[]): Readonly<Record<string, unknown>> {
  if (objects.length === 0) return { seen: "found gone: when it went was not seen" };
  return {
    objects: objects.map(({ object, known, lateMs, net = "somebody else" }) => ({
      object: placeOf(object),
      uid: object.metadata.uid,
      endsAt: new Date(known.endsAt).toISOString(),
      lateMs,
      closedBy: net,
      ...(known.altered === undefined ? {} : { altered: known.altered }),
    })),
  };
}
