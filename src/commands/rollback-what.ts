import type { History, Where } from "../history/history.ts";
import { decideAccess, type Place } from "../policy/access.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import { lineageOf, type Revision } from "../policy/revision.ts";
import type { NamespaceTarget } from "../policy/target.ts";
import { isCandidate, ownerOperation, undoOf } from "../policy/undo-candidates.ts";
import type { UndoPlan } from "../policy/undo-plan.ts";
import { clusterFor, wholeCluster } from "./clusters.ts";
import type { RolledBack } from "./command.ts";
import { findOperation } from "./find-operation.ts";
import { incidentStart } from "./incident-start.ts";
import { sees } from "./sees.ts";
import type { Context } from "./services.ts";
import { historyOf } from "./undo-facts.ts";

/** What was named, looked up: revisions of one cluster, and where the first of them lies. */
export type Asked = Pick<UndoPlan, "asked" | "undoes"> & {
  readonly target: NamespaceTarget;
  /** Where they all lie. */
  readonly places: readonly Required<Place>[];
  /** All of a time: only what lies in namespaces where the person may is in it. */
  readonly isSet: boolean;
};

/** More at once no person reads. */
const mostChanges = 200;

/** The revisions that are meant, among those that the person sees; any other is not there. */
export async function askedRevisions(context: Context, what: RolledBack): Promise<Asked | Refusal> {
  const history = historyOf(context.services);
  if (isRefusal(history)) return history;
  switch (what.kind) {
    case "revision":
      return byId(context, history, what.revision);
    case "operation":
      return ofUndo(context, history, what.operation);
    case "policy":
      return lastOfPolicy(context, history, what);
    case "last":
      return last(context, history, what);
    case "since":
      return allSince(context, history, { ...what, since: context.request.at - what.sinceMs });
    case "incident":
      return ofIncident(context, history, what);
  }
}

async function byId(context: Context, history: History, prefix: string): Promise<Asked | Refusal> {
  const found = await history.find(prefix, isSeen(context));
  const [revision, ...more] = found;
  if (revision === undefined) return refusal(`no change ${prefix} is kept`, "Look at /np history.");
  if (more.length > 0) return refusal(`several changes begin with ${prefix}`, "Type more of the id.");
  const ours = ownerOperation(revision);
  if (ours !== undefined) {
    return refusal(`${revision.id} is of ${ours}, and is undone by undoing that`, `Type: /np rollback ${ours}`);
  }
  if (revision.undoneBy !== undefined) {
    return refusal(
      `${revision.id} was undone already, by ${revision.undoneBy}`,
      `To have the change again: /np rollback ${revision.undoneBy}`,
    );
  }
  return { ...asking([revision]), ...undone(revision) };
}

/** What an undo wrote is undone as that undo, whichever way it is named. */
function undone(revision: Revision): Pick<Asked, "undoes"> {
  const undoes = undoOf(revision);
  return undoes === undefined ? {} : { undoes };
}

/** At least one, of one cluster. */
function asking(revisions: readonly Revision[]): Asked {
  const places = revisions.map(({ cluster, namespace = "" }) => ({ cluster, namespace }));
  const [target] = places;
  if (target === undefined) throw new Error("nothing was asked for");
  const asked = revisions.map((revision) => ({ revision: revision.id, policy: lineageOf(revision) }));
  return { asked, target, places, isSet: false };
}

async function ofUndo(context: Context, history: History, prefix: string): Promise<Asked | Refusal> {
  const operation = await findOperation(context, prefix);
  if (isRefusal(operation)) return operation;
  const revisions = await revisionsOf(history, operation);
  const open = revisions.filter(({ undoneBy }) => undoneBy === undefined);
  const { id } = operation;
  if (revisions.length === 0) return refuseUnwritten(operation);
  if (open.length === 0) {
    const by = revisions[0]?.undoneBy ?? "";
    return refusal(`${id} was undone already, by ${by}`, `To have it again: /np rollback ${by}`);
  }
  return { ...asking(open), undoes: id };
}

function refuseUnwritten({ id, state }: Operation): Refusal {
  if (state === "running")
    return refusal(`${id} is being carried out at this moment`, "Type it again when it is done.");
  return refusal(
    `no change of ${id} is kept${state === "done" || state === "failed" ? "" : ` (${state})`}`,
    "Where it has just written something, type it again in a moment; else there is nothing to undo.",
  );
}

/** What an undo wrote, newest first: in the policies of its plan. */
export async function revisionsOf(history: History, { id, plan, target }: Operation): Promise<readonly Revision[]> {
  if (plan?.kind !== "undo") return [];
  const { cluster } = target;
  const objects = plan.writes.flatMap(({ from, to }) => to ?? from ?? []);
  const lineages = await Promise.all(
    objects.map(({ apiVersion, kind, metadata: { namespace, name } }) =>
      history.lineage({ cluster, apiVersion, kind, namespace, name }),
    ),
  );
  return lineages.flat().filter((revision) => undoOf(revision) === id);
}

type Policy = Extract<RolledBack, { kind: "policy" }>;

async function lastOfPolicy(context: Context, history: History, what: Policy): Promise<Asked | Refusal> {
  const { namespace, name } = what;
  const isIn = async (cluster: string) => (await changesOf(history, what, cluster)).length > 0;
  const cluster = await clusterFor(context, { verb: "rollback", reference: what, isIn });
  if (typeof cluster === "object") return cluster;
  if (cluster === undefined) return mayNot(context, { cluster: undefined, namespace });
  // Before anything is looked for: what is there, or was, is not for everybody to learn.
  const no = refuseIn(context, [{ cluster, namespace }]);
  if (no !== undefined) return no;
  const changes = await changesOf(history, what, cluster);
  const kinds = [...new Set(changes.map(({ kind, apiVersion }) => `${kind} of ${apiVersion}`))];
  if (kinds.length > 1) {
    return refusal(
      `several policies are called ${namespace}/${name}: ${kinds.join(", ")}`,
      `Name its kind: ${namespace}/${changes[0]?.kind.toLowerCase()}/${name}; or the change, as /np history lists it.`,
    );
  }
  const revision = changes.find(isCandidate);
  if (revision !== undefined) return asking([revision]);
  const why =
    changes.length === 0 ? "no change of" : "every change that is kept was undone already, or is Bulkhead's own, of";
  return refusal(
    `${why} ${namespace}/${name}${changes.length === 0 ? " is kept" : ""}`,
    `Look at /np history ${namespace}/${name}.`,
  );
}

async function changesOf(
  history: History,
  { namespace, name, of }: Policy,
  cluster: string,
): Promise<readonly Revision[]> {
  const all = await history.list({ cluster, namespace, name, limit: mostChanges });
  return all.filter(({ kind }) => of === undefined || kind.toLowerCase() === of);
}

/** The channel's cluster, as for everything that names none. */
async function clusterIn(context: Context, history: History, { cluster, namespace }: Place): Promise<string | Refusal> {
  if (namespace === undefined) return wholeCluster(context, "rollback", cluster);
  const isIn = async (each: string) => (await history.list({ cluster: each, namespace, limit: 1 })).length > 0;
  const chosen = await clusterFor(context, { verb: "rollback", reference: { cluster, namespace }, isIn });
  if (chosen === undefined) return mayNot(context, { cluster: undefined, namespace });
  return typeof chosen === "string" ? (refuseIn(context, [{ cluster: chosen, namespace }]) ?? chosen) : chosen;
}

/** Why the person may not roll back in one of these; asked before anything of them is told. */
export function refuseIn({ services, request }: Context, places: readonly Place[]): Refusal | undefined {
  const { access } = services.settings;
  const decisions = places.map((place) => decideAccess(access, request.principal, "rollback", place));
  const no = decisions.find(({ allowed }) => !allowed);
  return no === undefined || no.allowed ? undefined : refusal(no.reason, lookAtWhoami);
}

const lookAtWhoami = "Type /np whoami to see what you may do.";

function mayNot({ services, request }: Context, place: Place): Refusal {
  const decision = decideAccess(services.settings.access, request.principal, "rollback", place);
  const reason = decision.allowed ? "no cluster is configured" : decision.reason;
  return refusal(reason, lookAtWhoami);
}

async function last(context: Context, history: History, place: Place): Promise<Asked | Refusal> {
  const cluster = await clusterIn(context, history, place);
  if (typeof cluster === "object") return cluster;
  const { namespace } = place;
  const where = mayUndo(context);
  const [revision] = await history.list({ cluster, namespace, where, which: isCandidate, limit: 1 });
  if (revision !== undefined) return asking([revision]);
  const here = namespace === undefined ? "where you may roll back" : `in ${namespace}`;
  return refusal(`no change ${here} is kept that has not been undone`, "Look at /np history.");
}

type Since = Place & { readonly since: number };

async function allSince(context: Context, history: History, { since, ...where }: Since): Promise<Asked | Refusal> {
  const cluster = await clusterIn(context, history, where);
  if (typeof cluster === "object") return cluster;
  const { namespace } = where;
  const limit = mostChanges + 1;
  const changes = await history.list({
    cluster,
    namespace,
    since,
    where: mayUndo(context),
    which: isCandidate,
    limit,
  });
  if (changes.length === limit) {
    return refusal(
      `there are more than ${mostChanges} changes in that time that you may roll back`,
      "Name a namespace or a shorter time.",
    );
  }
  const from = new Date(since).toISOString().replace(/\.\d+Z$/, "Z");
  if (changes.length === 0) {
    return refusal(
      `since ${from} nothing was changed that you may roll back and that has not been undone`,
      "Look at /np history.",
    );
  }
  return { ...asking(changes), isSet: true };
}

type OfIncident = Extract<RolledBack, { kind: "incident" }>;

async function ofIncident(context: Context, history: History, what: OfIncident): Promise<Asked | Refusal> {
  const since = await incidentStart(context, what.incident);
  if (since !== undefined) return allSince(context, history, { ...what, since });
  return refusal(
    `nothing is known of incident ${what.incident}: no operation and no channel of it`,
    "Name a time instead: /np rollback --since 1h.",
  );
}

function isSeen({ services, request }: Context): Where {
  return ({ cluster, namespace = "" }) => sees(services, request.principal, { cluster, namespace });
}

function mayUndo({ services, request }: Context): Where {
  const { access } = services.settings;
  return ({ cluster, namespace = "" }) =>
    decideAccess(access, request.principal, "rollback", { cluster, namespace }).allowed;
}
