import type { Place } from "../policy/access.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import type { AllowanceEnd, Operation } from "../policy/operation.ts";
import { note, refused, text } from "./answers.ts";
import { operationCard } from "./card.ts";
import { type Closed, closeObject } from "./close-allowance.ts";
import type { Command } from "./command.ts";
import { endAllowance } from "./end-allowance.ts";
import { holdingAllowance, locateAllowance, objectsOfAllowance, type StoredAllowance } from "./find-allowance.ts";
import { rebuiltAllowance } from "./rebuild-allowance.ts";
import type { Reply } from "./reply.ts";
import type { Press, Request } from "./request.ts";
import { type Context, clusterOf, type Services } from "./services.ts";

type EndCommand = Extract<Command, { kind: "end" }> & { readonly cluster?: string };
type Asked = Context<Request | Press>;

/** Where the allowance is. Closing waits for no Redis: where that is away its objects say so. */
export async function locateEnd(
  context: Context,
  command: EndCommand,
): Promise<{ readonly place: Place; readonly command: EndCommand } | Refusal> {
  try {
    return await locateAllowance(context, command);
  } catch (error) {
    const [found] = await storedAnywhere(context.services, command.operation);
    if (found === undefined) throw error;
    return { place: { cluster: found.cluster, namespace: found.object.metadata.namespace }, command };
  }
}

/** Closes it now, whoever opened it; and tells how long before its end that was. */
export async function end(context: Asked, command: Extract<Command, { kind: "end" }>): Promise<Reply> {
  const { services, request, outlet } = context;
  const known = await holdingAllowance(services, command.operation).catch(() => undefined);
  if (known !== undefined && isRefusal(known)) return tell(context, refused(`end ${command.operation}`, known));
  const stored = await storedAnywhere(services, command.operation);
  const closed = await closeAll(services, [...stored, ...unlabelled(known, stored)]);
  const operation = known ?? rebuiltFrom(services, stored);
  if (operation === undefined) return tell(context, refused(`end ${command.operation}`, nothingThere));
  const why = closed.length === 0 ? "gone" : "ended";
  const ended: AllowanceEnd = { ...momentOf(services, operation, closed), why, by: request.principal };
  const detail = { reason: command.reason, objects: closed.map(({ object }) => object) };
  try {
    await endAllowance(services, { operation, end: ended, detail }, () => outlet);
  } catch (error) {
    services.meter({ kind: "error", where: "tell end", message: String(error) });
    return tell(context, closedUntold(operation));
  }
  const now = await services.operations.get(operation.id);
  return tell(context, { ...operationCard(now ?? operation, services.now()), shape: "note", buttons: [] });
}

const nothingThere = refusal("nothing of it is in the cluster, and nothing is known of it", "Look at /np status.");

type Anywhere = StoredAllowance & { readonly cluster: string };

/** Its objects, in whichever cluster they are. One that does not answer holds up no other; where none does it throws. */
async function storedAnywhere({ clusters }: Services, operation: string): Promise<readonly Anywhere[]> {
  const asked = await Promise.allSettled(
    [...clusters.values()].map(async ({ cluster }) =>
      (await objectsOfAllowance(cluster, operation)).map((one) => ({ ...one, cluster: cluster.name })),
    ),
  );
  const found = asked.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const failed = asked.find((one) => one.status === "rejected");
  if (found.length === 0 && failed !== undefined) throw failed.reason;
  return found;
}

/** What its plan has written and no label tells of: somebody else may have taken that off. */
function unlabelled(known: Operation | undefined, stored: readonly Anywhere[]): readonly Closable[] {
  if (known?.plan?.kind !== "allow") return [];
  const { plan, target } = known;
  const isStored = ({ metadata: { namespace, name } }: NetworkPolicy) =>
    stored.some(({ object: { metadata } }) => metadata.namespace === namespace && metadata.name === name);
  return plan.objects.filter((object) => !isStored(object)).map((object) => ({ cluster: target.cluster, object }));
}

type Closable = Pick<Anywhere, "cluster" | "object">;

/** Throws where one is still there: what was closed stays closed, and the command can be typed again. */
async function closeAll(services: Services, stored: readonly Closable[]): Promise<readonly Closed[]> {
  const closings = await Promise.all(
    stored.map(({ cluster, object }) =>
      closeObject(clusterOf(services, cluster), { reference: object, uid: object.metadata.uid, why: "ended" }),
    ),
  );
  const kept = closings.find(({ kind }) => kind === "deleting");
  if (kept !== undefined)
    throw new Error("a finalizer of somebody else keeps a NetworkPolicy of it there, and in force");
  if (closings.some(({ kind }) => kind === "not-ours"))
    throw new Error(
      "a NetworkPolicy of it is still there, and in force: its labels say something else now, and Bulkhead leaves it alone",
    );
  return closings.flatMap((closing) => (closing.kind === "closed" ? [closing] : []));
}

function rebuiltFrom(services: Services, stored: readonly Anywhere[]): Operation | undefined {
  const [first] = stored;
  if (first === undefined) return undefined;
  const objects = stored.filter(({ cluster }) => cluster === first.cluster).map(({ object }) => object);
  return rebuiltAllowance(clusterOf(services, first.cluster).cluster.name, objects);
}

/** By the API server's clock; where nothing was there to close, by the time that it says now. */
function momentOf(
  services: Services,
  { target, allowance }: Operation,
  closed: readonly Closed[],
): Pick<AllowanceEnd, "at" | "lateMs"> {
  if (closed.length > 0) {
    return { at: Math.max(...closed.map(({ at }) => at)), lateMs: Math.max(...closed.map(({ lateMs }) => lateMs)) };
  }
  const at = clusterOf(services, target.cluster).cluster.serverTime()?.latestMs ?? services.now();
  return { at, lateMs: at - (allowance?.endsAt ?? at) };
}

function closedUntold({ id }: Operation): Reply {
  return note(
    `Closed: ${id}`,
    [
      text(
        "Nothing of it is in the cluster any more. Its record could not be brought up to date; that follows by itself.",
      ),
    ],
    "ok",
  );
}

async function tell({ outlet }: Asked, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}
