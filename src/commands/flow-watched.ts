import type { FlowWatch } from "../flows/watches.ts";
import type { PlaceReference } from "../policy/target.ts";
import { list } from "./answers.ts";
import { maySeeWatch, watchLine } from "./flow-watch-words.ts";
import type { Reply } from "./reply.ts";
import type { Context } from "./services.ts";

/** So many are named: those that are due first. */
const mostListed = 20;

/** What is watched in channels, as far as the person may look there and asks for it; nothing where nothing is. Never rejects. */
export async function watchedSections(
  { services, request }: Pick<Context, "services" | "request">,
  asked: PlaceReference,
): Promise<Reply["sections"]> {
  try {
    const all = (await services.flows?.watches.all()) ?? [];
    const seen = all
      .filter((watch) => isAsked(watch, asked) && maySeeWatch({ services, request }, watch))
      .toSorted((a, b) => a.dueMs - b.dueMs);
    if (seen.length === 0) return [];
    const lines = seen.slice(0, mostListed).map((watch) => `${watch.channel}: ${watchLine(watch, services)}`);
    const left = seen.length - lines.length;
    return [list("Denied flows watched in channels (UTC)", [...lines, ...(left > 0 ? [`and ${left} more`] : [])])];
  } catch {
    return [list("Denied flows watched in channels", ["not known: Redis does not answer"])];
  }
}

/** What is about every cluster or namespace is about the one that is asked for, too. */
function isAsked(watch: FlowWatch, { cluster, namespace }: PlaceReference): boolean {
  const isOf = (watched: string | undefined, named: string | undefined): boolean =>
    watched === undefined || named === undefined || watched === named;
  return isOf(watch.cluster, cluster) && isOf(watch.namespace, namespace);
}
