import type { Cluster } from "../kubernetes/cluster.ts";
import { knownAllowance } from "../policy/allowance.ts";
import { formatDuration } from "../policy/duration.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Extension, Operation } from "../policy/operation.ts";
import { type Principal, principalName } from "../policy/principal.ts";
import { clock } from "./allow-words.ts";
import { setTimersOf, ttlPatch, withEnd } from "./allowance-ttl.ts";
import { refused } from "./answers.ts";
import { operationCard } from "./card.ts";
import { end } from "./end.ts";
import { type Allowance, holdingAllowance, objectsOfAllowance } from "./find-allowance.ts";
import { record } from "./journal.ts";
import type { Reply } from "./reply.ts";
import { amend, type Context, clusterOf, LostRace, type Services } from "./services.ts";

/**
 * The undo of an allowance: its last extension is taken back, and without one, or where its end before that has passed, it ends.
 * Recorded first, since the record caps what objects say; then on the objects, each by its version.
 */
export async function shorten(context: Context, id: string, reason: string): Promise<Reply> {
  const { services, request, outlet } = context;
  const operation = await holdingAllowance(services, id);
  if (isRefusal(operation)) return tell(context, refused(`rollback ${id}`, await again(services, id, operation)));
  const extension = operation.allowance.extensions?.at(-1);
  if (extension === undefined || wasOver(services, operation, extension)) {
    return end(context, { kind: "end", operation: operation.id, reason });
  }
  const by = request.principal;
  await record(services, operation, noteOf("intent", operation, { extension, by, reason }));
  const taken = await takeBack(services, operation, extension);
  if (isRefusal(taken)) return tell(context, refused(`rollback ${id}`, taken));
  await shortenObjects(clusterOf(services, taken.target.cluster).cluster, taken, extension);
  await setTimersOf(services, taken);
  await record(services, taken, { ...noteOf("outcome", taken, { extension, by, reason }), ok: true });
  const card = operationCard(taken, services.now());
  await outlet.show(card, taken.card);
  const until = taken.allowance?.endsAt;
  const headline = `Extension taken back${until === undefined ? "" : `: ${id} holds until ${clock(until)} again`}`;
  return tell(context, { ...card, shape: "note", buttons: [], headline });
}

/** What has ended comes back only by asking: with the very words. */
async function again({ operations, clusters }: Services, id: string, ended: Refusal): Promise<Refusal> {
  const operation = await operations.get(id);
  if (operation?.plan?.kind !== "allow") return ended;
  const { template, parameters, ttlSeconds, target } = operation.plan;
  const values = Object.entries(parameters).map(([name, value]) => ` ${quoted(`${name}=${value}`)}`);
  const cluster = clusters.size < 2 ? "" : ` cluster=${target.cluster}`;
  const typed = `/np allow ${template.name}${values.join("")}${cluster} for ${ttlSeconds}s`;
  return refusal(
    `${ended.reason.replace(/\.$/, "")}, and comes back only where it is asked for anew`,
    `Type: ${typed}`,
  );
}

function quoted(word: string): string {
  return /\s/.test(word) ? `"${word}"` : word;
}

/** By the API server's clock at its latest: what may be over is not made to hold. */
function wasOver(services: Services, { allowance, target }: Allowance, { from, to }: Extension): boolean {
  const now = clusterOf(services, target.cluster).cluster.serverTime()?.latestMs;
  return now !== undefined && allowance.endsAt !== undefined && allowance.endsAt - (to - from) * 1_000 <= now;
}

/** In the record; a refusal where somebody extends or ends it at the same time. */
async function takeBack(services: Services, { id }: Operation, extension: Extension): Promise<Operation | Refusal> {
  try {
    return await amend(services, id, (now) => {
      const { allowance } = now;
      const last = allowance?.extensions?.at(-1);
      const isSame = last?.to === extension.to && last.at === extension.at && allowance?.ttlSeconds === extension.to;
      if (allowance === undefined || !isSame || allowance.extending !== undefined || now.state !== "in-force") {
        throw new LostRace(id);
      }
      return shortened(now, allowance, extension);
    });
  } catch (error) {
    if (!(error instanceof LostRace)) throw error;
    return refusal("it is being extended or ended at this moment", "Look at its card, then type it again.");
  }
}

function shortened(operation: Operation, allowance: Allowance["allowance"], { from, to }: Extension): Operation {
  const { asked: _asked, ...rest } = allowance;
  const endsAt = rest.endsAt === undefined ? {} : { endsAt: rest.endsAt - (to - from) * 1_000 };
  const extensions = rest.extensions?.slice(0, -1) ?? [];
  return withEnd({ ...operation, allowance: { ...rest, ...endsAt, ttlSeconds: from, extensions } });
}

/** One that says another time meanwhile was extended anew, and one that is gone is closed. */
async function shortenObjects(cluster: Cluster, { id }: Operation, extension: Extension): Promise<void> {
  for (const { object } of await objectsOfAllowance(cluster, id)) await shortenOne(cluster, object.metadata, extension);
}

type Place = { readonly namespace: string; readonly name: string };

async function shortenOne(cluster: Cluster, place: Place, extension: Extension, tries = 5): Promise<void> {
  const { namespace, name } = place;
  const reference = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { namespace, name } };
  const stored = await cluster.getObject(reference);
  const known = stored && knownAllowance(stored);
  if (stored === undefined || known === undefined) return;
  if (Math.round((known.endsAt - known.createdAt) / 1_000) !== extension.to) return;
  const { kind } = await cluster.patchPolicy(namespace, name, ttlPatch(stored, extension.from));
  if (kind !== "conflict") return;
  if (tries <= 1) throw new Error(`NetworkPolicy ${namespace}/${name} kept changing; it ends as recorded all the same`);
  return shortenOne(cluster, place, extension, tries - 1);
}

type Taking = { readonly extension: Extension; readonly by: Principal; readonly reason: string };

function noteOf(kind: "intent" | "outcome", { target }: Operation, { extension, by, reason }: Taking) {
  const { from, at } = extension;
  return {
    kind,
    step: `take-back-${at}`,
    verb: "rollback",
    actor: by,
    summary: `extension in ${target.namespace} taken back to ${formatDuration(from * 1_000)} in all by ${principalName(by)}`,
    detail: { ttlSeconds: from, extension, reason },
  };
}

async function tell({ outlet }: Context, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}
