import type { ChainedEntry } from "../audit/entry.ts";
import { decideAccess } from "../policy/access.ts";
import { formatDuration } from "../policy/duration.ts";
import { principalName } from "../policy/principal.ts";
import { list, note, text } from "./answers.ts";
import type { Command } from "./command.ts";
import type { Reply } from "./reply.ts";
import type { Context } from "./services.ts";

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
    }),
    services.audit.head(),
  ]);
  const visible = entries.filter(
    ({ cluster, namespace }) =>
      decideAccess(services.settings.access, principal, "audit", { cluster, namespace }).allowed,
  );
  const shown = visible.slice(-shownAtMost).toReversed();
  const reply: Reply = {
    ...note(`Audit: ${visible.length} entries in the last ${formatDuration(command.sinceMs)}`, [
      shown.length === 0 ? text("Nothing was recorded.") : list(undefined, shown.map(line)),
      ...(visible.length > shownAtMost
        ? [text(`These are the newest ${shownAtMost}. All of them: bulkhead audit export --output ndjson`)]
        : []),
    ]),
    footer: head.seq === 0 ? [] : [`chain #${head.seq}, head ${head.hash.slice(0, 12)}`],
  };
  await outlet.show(reply, undefined);
  return reply;
}

function line({ seq, at, actor, kind, verb, operation, summary, reason }: ChainedEntry): string {
  const why = reason === undefined ? "" : ` (${reason})`;
  return `#${seq} ${at} ${principalName(actor)} ${verb} ${kind}${operation === undefined ? "" : ` ${operation}`}: ${summary}${why}`;
}
