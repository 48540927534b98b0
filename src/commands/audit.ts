import type { ChainedEntry } from "../audit/entry.ts";
import { decideAccess } from "../policy/access.ts";
import { formatDuration } from "../policy/duration.ts";
import { type Principal, principalKey, principalName } from "../policy/principal.ts";
import { list, note, text } from "./answers.ts";
import type { Command } from "./command.ts";
import type { Reply } from "./reply.ts";
import { everywhere, toldPlaces } from "./sees.ts";
import type { Context, Services } from "./services.ts";

const shownAtMost = 20;

/** The newest entries that the caller may see, newest first. */
export async function audit(
  { services, request, outlet }: Context,
  command: Extract<Command, { kind: "audit" }>,
): Promise<Reply> {
  const { principal } = request;
  const team = principal.kind === "slack" ? principal.team : "";
  const actor = command.by === undefined || command.by.includes(":") ? command.by : `slack:${team}/${command.by}`;
  const [entries, head] = await Promise.all([
    services.audit.read({
      sinceMs: services.now() - command.sinceMs,
      ...(command.namespace === undefined ? {} : { namespace: command.namespace }),
      ...(actor === undefined ? {} : { actor }),
      ...(command.incident === undefined ? {} : { incident: command.incident }),
    }),
    services.audit.head(),
  ]);
  const all = everywhere(services, principal, "audit");
  const asked = entries.filter(({ cluster }) => command.cluster === undefined || command.cluster === cluster);
  const seen = all ? asked : asked.filter((entry) => isVisible(services, principal, entry));
  const hidden = all ? new Set() : await partlySeen(services, principal, seen);
  const visible = seen.filter(({ operation, actor: by }) => !hidden.has(operation) || isSame(principal, by));
  const shown = visible.slice(-shownAtMost).toReversed();
  const reply: Reply = {
    ...note(`Audit: ${visible.length} entries in the last ${formatDuration(command.sinceMs)}`, [
      shown.length === 0
        ? text("Nothing was recorded.")
        : list(
            undefined,
            shown.map((entry) => line(services, entry)),
          ),
      ...(visible.length > shownAtMost
        ? [text(`These are the newest ${shownAtMost}. All of them: bulkhead audit export --output ndjson`)]
        : []),
    ]),
    footer: head.seq === 0 ? [] : [`chain #${head.seq}, head ${head.hash.slice(0, 12)}`],
  };
  await outlet.show(reply, undefined);
  return reply;
}

/**
 * An entry of a namespace is for those who may audit it. Of those without one, the incidents of channels are for
 * whoever has the right somewhere; the rest (refusals that were about no known namespace) for whom they are about.
 */
function isVisible({ settings }: Services, principal: Principal, entry: ChainedEntry): boolean {
  const { cluster = settings.clusters.home, namespace, kind, actor } = entry;
  if (namespace !== undefined) {
    return decideAccess(settings.access, principal, "audit", { cluster, namespace }).allowed;
  }
  return kind === "incident" || isSame(principal, actor);
}

function isSame(one: Principal, other: Principal): boolean {
  const own = principalKey(one);
  return own !== undefined && own === principalKey(other);
}

/** Undos of which not all lies where the caller may audit; an entry bears the namespace of the first write alone. Where one is not kept, nobody can say. */
async function partlySeen(
  { operations, settings }: Services,
  principal: Principal,
  entries: readonly ChainedEntry[],
): Promise<ReadonlySet<string | undefined>> {
  const undos = new Set(entries.flatMap(({ operation }) => (operation?.startsWith("u-") === true ? operation : [])));
  const isHidden = async (id: string): Promise<boolean> => {
    const operation = await operations.get(id);
    const places = operation && toldPlaces(operation);
    return places?.every((place) => decideAccess(settings.access, principal, "audit", place).allowed) !== true;
  };
  const hidden = await Promise.all([...undos].map(async (id) => ((await isHidden(id)) ? id : [])));
  return new Set(hidden.flat());
}

function line(services: Services, entry: ChainedEntry): string {
  const { seq, at, actor, kind, verb, operation, cluster, summary, reason } = entry;
  const where = cluster === undefined || services.clusters.size < 2 ? "" : ` (cluster ${cluster})`;
  const why = reason === undefined ? "" : ` (${reason})`;
  return `#${seq} ${at} ${principalName(actor)} ${verb} ${kind}${operation === undefined ? "" : ` ${operation}`}${where}: ${summary}${why}`;
}
