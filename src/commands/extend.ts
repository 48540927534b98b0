import type { Cluster } from "../kubernetes/cluster.ts";
import { decideAccess } from "../policy/access.ts";
import { type KnownAllowance, knownAllowance } from "../policy/allowance.ts";
import { formatDuration } from "../policy/duration.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { AllowanceRecord, Operation } from "../policy/operation.ts";
import { principalName } from "../policy/principal.ts";
import { clock } from "./allow-words.ts";
import { setTimersOf, ttlPatch, withEnd } from "./allowance-ttl.ts";
import { refused } from "./answers.ts";
import { operationCard } from "./card.ts";
import type { Command } from "./command.ts";
import { type Allowance, holdingAllowance, objectsOfAllowance } from "./find-allowance.ts";
import { record } from "./journal.ts";
import type { Pressed } from "./press.ts";
import type { Reply } from "./reply.ts";
import type { Press, Request } from "./request.ts";
import { amend, type Context, clusterOf, LostRace, type Services } from "./services.ts";

/** What is typed, or the button that stands for it. */
type Asked = Context<Request | Press> & Pick<Pressed, "samples">;

/** Lets an allowance hold for longer: recorded first, then on its objects, then everywhere else (invariant 4). */
export async function extend(context: Asked, command: Extract<Command, { kind: "extend" }>): Promise<Reply> {
  const { services, request, outlet } = context;
  const operation = await holdingAllowance(services, command.operation);
  if (isRefusal(operation)) return tell(context, refused(`extend ${command.operation}`, operation));
  const ttlSeconds = operation.allowance.ttlSeconds + Math.floor(command.byMs / 1_000);
  const right = await refusePlaces(context, operation);
  if (right !== undefined) return turnDown(context, operation, right);
  const no = refuseBeyond(operation, ttlSeconds);
  if (no !== undefined) return tell(context, refused(`extend ${operation.id}`, no));
  const wanted: Wanted = { ttlSeconds, by: request.principal, at: services.now() };
  const begun = await begin(services, operation, wanted);
  if (isRefusal(begun)) return tell(context, refused(`extend ${operation.id}`, begun));
  await record(services, begun, noteOf("intent", begun, wanted, command.reason));
  const ended = await lengthen(services, begun, ttlSeconds);
  const stored = await amend(services, operation.id, (now) => settled(now, ended === undefined ? wanted : undefined));
  await setTimersOf(services, stored);
  const ok = ended === undefined;
  await record(services, stored, { ...noteOf("outcome", stored, wanted, command.reason), ok });
  const reply = operationCard(stored, services.now());
  await outlet.show(reply, stored.card);
  return ok ? tell(context, extended(stored)) : tell(context, refused(`extend ${operation.id}`, ended));
}

type Wanted = NonNullable<AllowanceRecord["extending"]>;

/** Whoever extends it may open it: wherever its objects lie, as they tell even where its plan is lost. */
async function refusePlaces({ services, request }: Asked, { id, target }: Operation): Promise<Refusal | undefined> {
  const { cluster } = clusterOf(services, target.cluster);
  for (const { object } of await objectsOfAllowance(cluster, id)) {
    const place = { cluster: cluster.name, namespace: object.metadata.namespace };
    const decision = decideAccess(services.settings.access, request.principal, "allow", place);
    if (!decision.allowed) return refusal(decision.reason, "Ask somebody who may allow in all of its namespaces.");
  }
  return undefined;
}

async function turnDown(context: Asked, { id, target, incident }: Operation, no: Refusal): Promise<Reply> {
  const { cluster, namespace } = target;
  await context.samples.refused(context.request, { cluster, namespace, incident, verb: "extend", why: no.reason });
  return tell(context, refused(`extend ${id}`, no));
}

/** The template's most was agreed to when it was opened, so that nobody else is asked again. */
function refuseBeyond({ id, allowance }: Allowance, ttlSeconds: number): Refusal | undefined {
  const { ttlSeconds: now, maxSeconds } = allowance;
  if (ttlSeconds <= now) return refusal("that is no time", "Give one of at least a second, such as 30m.");
  if (ttlSeconds <= maxSeconds) return undefined;
  const left = maxSeconds - now;
  const most = `it may hold for ${formatDuration(maxSeconds * 1_000)} in all`;
  return left <= 0
    ? refusal(`${most}, and has that already`, "Open it anew with /np allow, or make the change permanent.")
    : refusal(`${most}, so ${formatDuration(left * 1_000)} more at most`, `Type: /np extend ${id} ${left}s`);
}

/** Recorded before any object says it: a net that finds more on an object than was granted would close it. */
async function begin(services: Services, { id }: Operation, wanted: Wanted): Promise<Operation | Refusal> {
  try {
    return await amend(services, id, (now) => {
      if (now.state !== "in-force" || now.allowance === undefined || now.allowance.ended !== undefined)
        throw new LostRace(id);
      return { ...now, allowance: { ...now.allowance, extending: wanted } };
    });
  } catch (error) {
    if (error instanceof LostRace) return hasEnded;
    throw error;
  }
}

const hasEnded = refusal("it has just ended", "Open it anew with /np allow.");

/** On every object, each by its version; the first that is gone ends the attempt: half a path is none. */
async function lengthen(
  services: Services,
  { id, target }: Operation,
  ttlSeconds: number,
): Promise<Refusal | undefined> {
  const { cluster } = clusterOf(services, target.cluster);
  const stored = await objectsOfAllowance(cluster, id);
  if (stored.length === 0) return hasEnded;
  for (const { object } of stored) {
    const no = await lengthenOne(cluster, object.metadata, ttlSeconds);
    if (no !== undefined) return no;
  }
  return undefined;
}

type Place = { readonly namespace: string; readonly name: string };

/** Whoever deletes it at the same time goes by the same version, so one of the two wins. */
async function lengthenOne(
  cluster: Cluster,
  place: Place,
  ttlSeconds: number,
  tries = 5,
): Promise<Refusal | undefined> {
  const { namespace, name } = place;
  const reference = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { namespace, name } };
  const stored = await cluster.getObject(reference);
  const known = stored && knownAllowance(stored);
  if (stored === undefined || known === undefined || isOver(cluster, known)) return hasEnded;
  const { kind } = await cluster.patchPolicy(namespace, name, ttlPatch(stored, ttlSeconds));
  if (kind === "patched") return undefined;
  if (kind === "gone") return hasEnded;
  return tries <= 1
    ? refusal("it was changed by somebody else at the same time", "Type it again.")
    : lengthenOne(cluster, place, ttlSeconds, tries - 1);
}

function isOver(cluster: Cluster, { endsAt }: KnownAllowance): boolean {
  const time = cluster.serverTime();
  return time !== undefined && time.earliestMs >= endsAt;
}

/** Without `granted` nothing is known to be longer: what was recorded before holds. */
function settled(operation: Operation, granted: Wanted | undefined): Operation {
  const { allowance } = operation;
  if (allowance === undefined) return operation;
  const { extending: _, asked: _asked, ...rest } = allowance;
  if (granted === undefined) return { ...operation, allowance: rest };
  const { ttlSeconds, by, at } = granted;
  const moreMs = (ttlSeconds - rest.ttlSeconds) * 1_000;
  const endsAt = rest.endsAt === undefined ? {} : { endsAt: rest.endsAt + moreMs };
  const extensions = [...(rest.extensions ?? []), { from: rest.ttlSeconds, to: ttlSeconds, by, at }];
  return withEnd({ ...operation, allowance: { ...rest, ttlSeconds, ...endsAt, extensions } });
}

function noteOf(kind: "intent" | "outcome", { target }: Operation, { ttlSeconds, by }: Wanted, reason: string) {
  return {
    kind,
    step: `extend-${ttlSeconds}`,
    verb: "extend",
    actor: by,
    summary: `extend in ${target.namespace} to ${formatDuration(ttlSeconds * 1_000)} in all by ${principalName(by)}`,
    detail: { ttlSeconds, reason },
  };
}

function extended(operation: Operation): Reply {
  const card = operationCard(operation, 0);
  const until = operation.allowance?.endsAt;
  return {
    ...card,
    shape: "note",
    buttons: [],
    headline: `Extended${until === undefined ? "" : ` until ${clock(until)}`}: ${operation.id}`,
  };
}

async function tell({ outlet }: Asked, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}
