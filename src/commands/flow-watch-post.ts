import type { FlowWatch } from "../flows/watches.ts";
import { principalName } from "../policy/principal.ts";
import { list, note, text } from "./answers.ts";
import type { FlowNews } from "./flow-news.ts";
import { scheduleWords, typedWatched, watchedWords } from "./flow-watch-words.ts";
import type { Reply } from "./reply.ts";
import type { Services } from "./services.ts";

/** So many are named: the answer below lists the rest. */
const mostNamed = 5;

/** The answer as a post of its own, that says what of it is new here. */
export function postOf(watch: FlowWatch, { fresh }: FlowNews, answer: Reply): Reply {
  const left = fresh.length - mostNamed;
  const title = watch.postedMs === undefined ? "First told here" : "New since the last post here";
  return {
    ...answer,
    shape: "card",
    sections: [
      list(title, [...fresh.slice(0, mostNamed), ...(left > 0 ? [`and ${left} more`] : [])]),
      ...answer.sections,
    ],
    footer: [
      `Watched ${scheduleWords(watch.schedule)}, as ${principalName(watch.by)} may see it. /np flows unwatch${typedWatched(watch)} ends it.`,
      ...answer.footer,
    ],
  };
}

/** That it has ended, with why. */
export function endedCard(watch: FlowWatch, why: string): Reply {
  return {
    ...note(`Not watched any more: ${watchedWords(watch)}`.slice(0, 150).toWellFormed(), [
      text(`What was told here was what ${principalName(watch.by)} may see, and that has ended: ${why}.`),
      text(`Whoever may look there can have it told again: /np flows watch${typedWatched(watch)}`),
    ]),
    shape: "card",
    tone: "warning",
  };
}

/** Once, however often it is tried to tell it. */
export async function auditEnd(services: Services, watch: FlowWatch, why: string): Promise<void> {
  const { cluster, namespace } = watch;
  await services.audit.append(
    {
      id: `watch-end:${watch.id}:${watch.setMs}`,
      kind: "watch",
      at: new Date(services.now()).toISOString(),
      verb: "flows",
      ...(cluster === undefined ? {} : { cluster }),
      ...(namespace === undefined ? {} : { namespace }),
      object: `watch ${watch.id}`,
      actor: { kind: "scheduler" },
      where: { source: "scheduler", channel: watch.channel },
      ok: true,
      summary: `${watchedWords(watch)} is not watched any more: ${why}`,
      replica: services.replica,
    },
    { spool: true },
  );
}
