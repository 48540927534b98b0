import { clock, countWords, type Leak, type Observed, observedLine, usedLine } from "../policy/observed.ts";
import type { Operation } from "../policy/operation.ts";
import { targetName } from "../policy/target.ts";
import { list, note } from "./answers.ts";
import { operationCard } from "./card.ts";
import type { Outlet } from "./desk.ts";
import { whoCares } from "./drift-tell.ts";
import { recordAs } from "./journal.ts";
import type { Reply } from "./reply.ts";
import { amend, keepCard, type Services } from "./services.ts";

/**
 * Tells what was just stored of what flows showed: on the card, and what is told for the first time in the audit; what got
 * through also in a message of its own, which calls who asked for the operation and who confirmed it. What reached nobody
 * is not marked as told, so that it is told again.
 */
export async function tellObserved(
  services: Services,
  operation: Operation,
  { before, outlet }: { readonly before: Observed | undefined; readonly outlet: Outlet },
): Promise<void> {
  const { observed } = operation;
  if (observed === undefined) return;
  const leak = observed.leak?.tellingAt === observed.at ? observed.leak : undefined;
  await recordFirsts(services, operation, before);
  const shown = await outlet.show(operationCard(operation, services.now()), operation.card);
  if (shown.card !== undefined && shown.card.ts !== operation.card?.ts) await keepCard(services, operation, shown.card);
  if (leak === undefined) return;
  const card = shown.card ?? operation.card;
  const { reached } = await outlet.show(messageOf({ ...operation, ...(card && { card }) }, leak), undefined);
  if (reached) await amend(services, operation.id, (now) => withTold(now, leak, services.now()));
}

/** Unless it is another leak by now: what was perhaps and is sure is told again. */
function withTold(operation: Operation, { sure }: Leak, at: number): Operation {
  const { observed } = operation;
  if (observed?.leak?.sure !== sure) return operation;
  return { ...operation, observed: { ...observed, leak: { ...observed.leak, toldAt: at } } };
}

/** Each under an id of its own, whoever writes it: the first time that something was denied, got through, or was used. */
async function recordFirsts(services: Services, operation: Operation, before: Observed | undefined): Promise<void> {
  const { observed, id } = operation;
  if (observed === undefined) return;
  const { leak, denied, used } = observed;
  const write = (what: string, ok: boolean, summary: string) =>
    recordAs(
      services,
      operation,
      {
        kind: "observed",
        verb: "observe",
        actor: { kind: "scheduler" },
        ok,
        summary,
        detail: { observed: what, leak, denied, used },
      },
      `${id}:observed:${what}`,
    );
  const isToTell = leak !== undefined && leak.tellingAt === observed.at;
  if (isToTell) await write(leak.sure ? "leak" : "perhaps", false, leakWords(leak));
  if (denied !== undefined && before?.denied === undefined) await write("denied", true, observedLine(observed));
  if (used !== undefined && before?.used === undefined) await write("used", true, usedLine(observed));
}

function leakWords(leak: Leak): string {
  const how = leak.sure ? "got through" : "got through, perhaps on connections that were open before";
  return `${countWords(leak)} ${how}: ${leak.evidence.join("; ")}`;
}

function messageOf(operation: Operation, leak: Leak): Reply {
  const { id, card, target } = operation;
  const claim = leak.sure ? "NOT ISOLATED" : "UNKNOWN whether isolated";
  const where = card?.permalink === undefined ? [] : [`Its card: ${card.permalink}`];
  return {
    ...note(`${claim}: ${id}, ${targetName(target)}`.slice(0, 150), [
      list(undefined, [
        `Flows say that traffic ${leak.sure ? "gets through" : "gets through that perhaps began before"}: ${leak.evidence[0] ?? countWords(leak)}, first at ${clock(leak.firstAt)}.`,
        "The card has the evidence, and what to do now.",
      ]),
    ]),
    shape: "card",
    tone: leak.sure ? "bad" : "warning",
    mentions: whoCares(operation),
    footer: [id, ...where],
  };
}
