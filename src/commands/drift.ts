import { decideAccess } from "../policy/access.ts";
import { standingDrift } from "../policy/drift.ts";
import type { Operation } from "../policy/operation.ts";
import { targetReference } from "../policy/target.ts";
import { list, note } from "./answers.ts";
import { inCluster } from "./clusters.ts";
import type { Command } from "./command.ts";
import { lookAt, type Seen } from "./drift-look.ts";
import { afterLook } from "./drift-records.ts";
import { isRestorable, sentenceOf } from "./drift-words.ts";
import type { Reply, Section } from "./reply.ts";
import type { Context, Services } from "./services.ts";

/** What of all that is in force is not as it is held, looked at now; what somebody accepted is told too. */
export async function drift(
  { services, request, outlet }: Context,
  command: Extract<Command, { kind: "drift" }>,
): Promise<Reply> {
  const may = (cluster: string, namespace: string | undefined): boolean =>
    decideAccess(services.settings.access, request.principal, "status", { cluster, namespace }).allowed;
  const names = [...services.clusters.keys()].filter(
    (name) => (command.cluster === undefined || command.cluster === name) && may(name, command.namespace),
  );
  const isAsked = ({ target }: Operation): boolean =>
    (command.namespace === undefined || command.namespace === target.namespace) &&
    may(target.cluster, target.namespace);
  const looked = await Promise.all(names.map((name) => lookIn(services, name, isAsked)));
  const operations = looked.flatMap(({ seen }) => seen);
  const problems = looked.flatMap((one) => one.problems);
  const drifted = operations.filter((one) => standingDrift(one).length > 0);
  const reply = note(headline(command, { operations, drifted, problems }), [
    ...drifted.map((one) => sectionOf(services, one)),
    ...(drifted.length === 0 && problems.length === 0
      ? [list(undefined, [`${count(operations.length)} in force, each as it is held.`])]
      : []),
    ...(problems.length === 0 ? [] : [list("NOT KNOWN: what could not be looked at", problems)]),
  ]);
  await outlet.show(reply, undefined);
  return reply;
}

type Found = {
  readonly operations: readonly Operation[];
  readonly drifted: readonly Operation[];
  readonly problems: readonly string[];
};

function headline({ cluster, namespace }: Extract<Command, { kind: "drift" }>, { drifted, problems }: Found): string {
  const where = [cluster, namespace].filter((one) => one !== undefined).join(":");
  const place = where === "" ? "" : ` in ${where}`;
  if (drifted.length === 0) return `${problems.length === 0 ? "No drift" : "Drift: not all of it is known"}${place}`;
  return `Drift${place}: ${count(drifted.length)} not as held`;
}

function count(operations: number): string {
  return operations === 1 ? "1 operation" : `${operations} operations`;
}

/** The operations in force as their records would be after this look, which stores nothing: the watch does. */
async function lookIn(
  services: Services,
  name: string,
  isAsked: (operation: Operation) => boolean,
): Promise<{ readonly seen: readonly Operation[]; readonly problems: readonly string[] }> {
  const problems: string[] = [];
  const onProblem = (error: unknown): void => {
    const why = error instanceof Error ? error.message : String(error);
    problems.push(`cluster ${name}: ${why}`);
  };
  const seen = await lookAt(services, name, { isAsked, onProblem });
  return { seen: seen.map((one) => asSeen(one, services.now())), problems };
}

function asSeen({ operation, drifts, unlooked }: Seen, at: number): Operation {
  const records = afterLook(operation.drift, { drifts, unlooked, at });
  return records === undefined ? operation : { ...operation, drift: records };
}

function sectionOf(services: Services, operation: Operation): Section {
  const { id, kind, target, card } = operation;
  const standing = standingDrift(operation);
  const open = standing.some(({ state }) => state === "open");
  const restore = standing.some((one) => isRestorable(operation, one)) ? "Restore and Accept are" : "Accept is";
  const where = card?.permalink === undefined ? "" : `: ${card.permalink}`;
  return list(`${id}: ${kind} ${inCluster(services, target.cluster, targetReference(target))}`, [
    ...standing.map(sentenceOf),
    ...(open ? [`${restore} on its card${where}`] : []),
  ]);
}
