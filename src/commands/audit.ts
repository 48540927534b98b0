import type { ChainedEntry } from "../audit/entry.ts";
import { decideAccess } from "../policy/access.ts";
import { formatDuration } from "../policy/duration.ts";
import { type Principal, principalKey, principalName } from "../policy/principal.ts";
import { list, note, text } from "./answers.ts";
import type { Command } from "./command.ts";
import type { Reply } from "./reply.ts";
import { everywhere } from "./sees.ts";
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
  const visible = entries
    .filter(({ cluster }) => command.cluster === undefined || command.cluster === cluster)
    .filter((entry) => all || isVisible(services, principal, entry));
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
  const own = principalKey(principal);
  return kind === "incident" || (own !== undefined && own === principalKey(actor));
}

function line(services: Services, entry: ChainedEntry): string {
  const { seq, at, actor, kind, verb, operation, cluster, summary, reason } = entry;
  const where = cluster === undefined || services.clusters.size < 2 ? "" : ` (cluster ${cluster})`;
  const why = reason === undefined ? "" : ` (${reason})`;
  return `#${seq} ${at} ${principalName(actor)} ${verb} ${kind}${operation === undefined ? "" : ` ${operation}`}${where}: ${summary}${why}`;
}
