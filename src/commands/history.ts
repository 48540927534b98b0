import type { History } from "../history/history.ts";
import { decideAccess } from "../policy/access.ts";
import { formatDuration } from "../policy/duration.ts";
import type { PolicyKey, Revision } from "../policy/revision.ts";
import { note, text } from "./answers.ts";
import { inCluster } from "./clusters.ts";
import type { Command } from "./command.ts";
import { effectsOf } from "./history-effects.ts";
import { historyLine } from "./history-lines.ts";
import type { Reply, Section } from "./reply.ts";
import type { Context } from "./services.ts";

type HistoryCommand = Extract<Command, { kind: "history" }>;

/** Each with its buttons takes two of the 50 blocks of a message, and about 800 of its 12,000 bytes. */
const shownAtMost = 10;

/** So many are counted, of those that the person may see. */
const readAtMost = 500;

/** The newest changes of policies that the caller may see, newest first, with what each opens and closes. */
export async function history(context: Context, command: HistoryCommand): Promise<Reply> {
  const { services, outlet } = context;
  const reply = services.history === undefined ? noHistory() : await changes(context, command, services.history);
  await outlet.show(reply, undefined);
  return reply;
}

async function changes(context: Context, command: HistoryCommand, store: History): Promise<Reply> {
  const { services, request } = context;
  const seen = await store.list({ ...queryOf(command, services.now()), where: seenBy(context) });
  const title = `Changes of policies${placeWords(command)}`;
  if (seen.length === 0) return note(title, [text(await whyEmpty(context, command, store))]);
  const shown = seen.slice(0, shownAtMost);
  const effects = await effectsOf(services, request.principal, shown);
  const several = services.clusters.size > 1;
  const rows = shown.map((one, index) => row(one, historyLine(one, effects[index], several ? one.cluster : undefined)));
  return {
    ...note(`${title}, newest first`, [...rows, ...moreLine(seen.length - shown.length, seen.length === readAtMost)]),
    footer: ["What each opens and closes is worked out by the pods and the other policies that are there now."],
  };
}

function row(revision: Revision, line: string): Section {
  return {
    kind: "row",
    text: line,
    subject: revision.id,
    buttons: [
      { action: "show-diff", label: "Show diff" },
      ...(revision.undoneBy === undefined ? [{ action: "roll-back" as const, label: "Roll back" }] : []),
    ],
  };
}

function queryOf({ cluster, namespace, policy, sinceMs }: HistoryCommand, now: number) {
  const since = sinceMs === undefined ? undefined : now - sinceMs;
  const { of, name } = policy ?? {};
  const which = of === undefined ? undefined : ({ kind }: Revision) => kind.toLowerCase() === of;
  return { cluster, namespace, name, since, which, limit: readAtMost };
}

/** What is cluster-scoped is for those with the right in all namespaces. */
export function seenBy({ services, request }: Context): (key: Pick<PolicyKey, "cluster" | "namespace">) => boolean {
  const { access } = services.settings;
  return ({ cluster, namespace = "" }) =>
    decideAccess(access, request.principal, "status", { cluster, namespace }).allowed;
}

function placeWords({ cluster, namespace, policy, sinceMs }: HistoryCommand): string {
  const since = sinceMs === undefined ? "" : ` in the last ${formatDuration(sinceMs)}`;
  const at =
    namespace === undefined ? "" : policy === undefined ? ` in ${namespace}` : ` of ${namespace}/${policy.name}`;
  return `${at}${cluster === undefined ? "" : ` (cluster ${cluster})`}${since}`;
}

function moreLine(left: number, isCut: boolean): readonly Section[] {
  if (left <= 0 && !isCut) return [];
  const many = isCut ? `At least ${left} more are` : left === 1 ? "1 more is" : `${left} more are`;
  return [
    text(`${many} not shown. Name a namespace, a policy (namespace/name) or a time: /np history payments since 2h`),
  ];
}

/** Nothing there, and why that may be. */
async function whyEmpty(context: Context, command: HistoryCommand, store: History): Promise<string> {
  const { services } = context;
  const isSeen = seenBy(context);
  const clusters = [...services.clusters.keys()].filter(
    (name) => command.cluster === undefined || command.cluster === name,
  );
  const known = await Promise.all(clusters.map(async (name) => [...(await store.known(name)).values()]));
  const there = known.flat().filter(({ key }) => isSeen(key) && isIn(command, key)).length;
  const where = inCluster(services, command.cluster, command.namespace ?? "");
  const since =
    command.sinceMs === undefined ? "since Bulkhead began to record" : `in the last ${formatDuration(command.sinceMs)}`;
  if (there === 0) {
    return `No policy that you may see is recorded${where === "" ? "" : ` in ${where}`}, and none that is gone. A policy is recorded as soon as Bulkhead sees it.`;
  }
  const policies = there === 1 ? "1 policy is there, and it" : `${there} policies are there, and none of them`;
  return `${policies} was ${there === 1 ? "not " : ""}changed ${since}. What was there when Bulkhead first ran counts as no change, nor does what is older than history.keepFor.`;
}

function isIn({ namespace, policy }: HistoryCommand, key: PolicyKey): boolean {
  return (
    (namespace === undefined || (key.namespace ?? "") === namespace) &&
    (policy === undefined ||
      (key.name === policy.name && (policy.of ?? key.kind.toLowerCase()) === key.kind.toLowerCase()))
  );
}

/** At a terminal that reaches no Redis. */
export function noHistory(): Reply {
  const why = "What became of policies is recorded in Redis, and this terminal does not reach it.";
  return note("The history is not known", [text(`${why} Try again where it answers, or look with kubectl.`)], "failed");
}
