import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { manifestName } from "../policy/manifest.ts";
import { ownershipOf } from "../policy/owner.ts";
import { ownerName } from "../policy/owner-words.ts";
import { type Revision, referenceOf } from "../policy/revision.ts";
import { yamlDiff } from "../policy/yaml-diff.ts";
import { code, list, note, refused, text } from "./answers.ts";
import { changeEffect } from "./change-effect.ts";
import { inCluster, inTime } from "./clusters.ts";
import type { Command } from "./command.ts";
import { noHistory, seenBy } from "./history.ts";
import { wholeView } from "./history-effects.ts";
import { timeWords, whoWords } from "./history-lines.ts";
import type { Reply, Section } from "./reply.ts";
import type { Context } from "./services.ts";

/** What one change of a policy changed: as YAML, and in connections by the pods that are there now. */
export async function diffRevision(
  context: Context,
  { revision: id }: Extract<Command, { kind: "diff" }>,
): Promise<Reply> {
  const found = context.services.history === undefined ? undefined : await find(context, id);
  const reply =
    found === undefined ? noHistory() : isRefusal(found) ? refused(`diff ${id}`, found) : await shown(context, found);
  await context.outlet.show(reply, undefined);
  return reply;
}

/** Of those that the person may see: what lies elsewhere is answered as if it were not there. */
async function find(context: Context, id: string): Promise<Revision | Refusal> {
  const seen = (await context.services.history?.find(id, seenBy(context))) ?? [];
  const [first, ...others] = seen;
  if (first === undefined) return refusal(`there is no change ${id}`, "Look at /np history for those that are kept.");
  if (others.length === 0) return first;
  const ids = seen.map((one) => one.id).join(", ");
  return refusal(`${id} is the beginning of several: ${ids}`, "Type more of it.");
}

async function shown(context: Context, revision: Revision): Promise<Reply> {
  const { id, change, before, after, undoneBy } = revision;
  const { services } = context;
  const name = manifestName(referenceOf(revision));
  const diff = yamlDiff(before, after, { mostLines: 120 });
  const undone = undoneBy === undefined ? "" : ` It was undone by ${undoneBy}.`;
  return {
    ...note(`${id}: ${name} was ${change}`, [
      text(
        `${timeWords(revision.at)}, by ${whoWords(revision)}, in ${inCluster(services, revision.cluster, revision.namespace ?? "the whole cluster")}.${undone}`,
      ),
      diff.text === "" ? text("Nothing of what a person writes differs.") : code("As YAML", diff.text),
      ...(await connectionSections(context, revision)),
      ...ownerSection(revision),
      ...(undoneBy === undefined ? [rollBack(id)] : []),
    ]),
    footer: ["Connections are worked out by the pods and the other policies that are there now."],
  };
}

function rollBack(id: string): Section {
  const line = `To undo it: /np rollback ${id}`;
  return { kind: "row", text: line, subject: id, buttons: [{ action: "roll-back", label: "Roll back" }] };
}

const viewMs = 3_000;

async function connectionSections({ services, request }: Context, revision: Revision): Promise<readonly Section[]> {
  const { cluster, before, after } = revision;
  if (!services.clusters.has(cluster))
    return [text(`Cluster ${cluster} is not configured any more: connections are not worked out.`)];
  try {
    const view = await inTime(wholeView(services, cluster, request.principal), viewMs);
    const { opens, closes, undecided } = changeEffect(view, [{ from: before, to: after }]);
    const some = [
      { title: "It opens", items: opens },
      { title: "It closes", items: closes },
      { title: "Not decided", items: undecided },
    ].filter(({ items }) => items.length > 0);
    return some.length === 0
      ? [text("It opens and closes no connection.")]
      : some.map(({ title, items }) => list(title, items));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [text(`What it opens and closes was not evaluated: ${why}`)];
  }
}

function ownerSection({ before, after }: Revision): readonly Section[] {
  const image = after ?? before;
  if (image === undefined) return [];
  const { owners, copies } = ownershipOf(image);
  const lines = [...owners.map((owner) => `${ownerName(owner)} (${owner.because})`), ...copies];
  return lines.length === 0 ? [] : [list("Whose it is", lines)];
}
