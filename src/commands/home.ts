import { isDue } from "../policy/debt.ts";
import { standingDrift } from "../policy/drift.ts";
import { mayHaveLeft, type Operation } from "../policy/operation.ts";
import type { Principal } from "../policy/principal.ts";
import { list, note, text } from "./answers.ts";
import { operationCard } from "./card.ts";
import { spikesSeen } from "./home-spikes.ts";
import type { ButtonAction, Reply, RowButton, Section } from "./reply.ts";
import { seesOperation } from "./sees.ts";
import type { Services } from "./services.ts";
import { operationLine, storeLines, templateLines } from "./status.ts";

/** Whose page it is, and when it is drawn, milliseconds since the epoch. */
export type HomeRequest = { readonly principal: Principal; readonly at: number };

/** As many lines as can be read at a glance, and as fit into a message's 12 kB. */
const mostRows = 15;

/**
 * A person's own page: what spikes, what waits for somebody, what is in force, how Bulkhead is; of the namespaces where they have a
 * right. Drawn anew whenever it is opened: nothing of it is kept.
 */
export async function homePage(services: Services, { principal, at }: HomeRequest): Promise<Reply> {
  const [live, health] = await Promise.all([liveOperations(services), storeLines(services)]);
  const warnings = [...health, ...templateLines(services)];
  const footer = [`As of ${new Date(at).toISOString()}. Open this page again for how it stands then.`];
  if (live === undefined) return { ...note("Not known: Redis does not answer", [list("Bulkhead", warnings)]), footer };
  const spikes = await spikesSeen(services, principal);
  const seen = live.filter((one) => seesOperation(services, principal, one));
  const waiting = seen.filter(needsSomebody);
  const inForce = seen.filter((one) => one.state === "in-force" && !waiting.includes(one));
  const others = seen.filter((one) => !waiting.includes(one) && !inForce.includes(one));
  const sections = [
    ...spikes.sections,
    ...rows(services, "Needs somebody", waiting),
    ...rows(services, "In force", inForce),
    ...rows(services, "Under way", others),
    list("Bulkhead", warnings),
  ];
  return { ...note(headline(spikes.open, waiting.length, inForce.length), sections), footer };
}

/** Undefined where the store is away. */
async function liveOperations({ operations }: Services): Promise<readonly Operation[] | undefined> {
  try {
    return await operations.list({ live: true, onProblem: () => undefined });
  } catch {
    return undefined;
  }
}

/** Somebody has to decide, to look, or to finish it. */
function needsSomebody(operation: Operation): boolean {
  const { state, result } = operation;
  if (state === "awaiting-approval" || mayHaveLeft(operation) || isDue(operation)) return true;
  if (standingDrift(operation).some((drift) => drift.state === "open")) return true;
  return state === "in-force" && result?.tone === "bad";
}

function headline(spikes: number, waiting: number, inForce: number): string {
  if (spikes + waiting + inForce === 0) return "Nothing is in force";
  const denied = spikes === 0 ? "" : `${spikes} ${spikes === 1 ? "spike" : "spikes"} of denied flows`;
  const held = inForce === 0 ? "" : `${inForce} in force`;
  const open = waiting === 0 ? "" : `${waiting} ${waiting === 1 ? "needs" : "need"} somebody`;
  return [denied, open, held].filter((part) => part !== "").join(", ");
}

function rows(services: Services, title: string, operations: readonly Operation[]): readonly Section[] {
  if (operations.length === 0) return [];
  const shown = operations.slice(0, mostRows);
  const hidden = operations.length - shown.length;
  return [
    text(`${title} (${operations.length})`),
    ...shown.map((operation) => row(services, operation)),
    ...(hidden === 0 ? [] : [text(`… and ${hidden} more: /np status`)]),
  ];
}

function row(services: Services, operation: Operation): Section {
  const { card } = operation;
  const link = card?.permalink?.startsWith("https://") === true ? [{ url: card.permalink, label: "Open card" }] : [];
  const buttons = [...link, ...ownButtons(operation, services.now())];
  return { kind: "row", text: operationLine(services, operation), subject: operation.id, buttons };
}

/** Those of its card that need not be looked at beside a plan: nobody confirms or approves what is not shown. */
function ownButtons(operation: Operation, now: number): readonly RowButton[] {
  const { buttons } = operationCard(operation, now);
  return buttons.filter(({ action }) => harmless.has(action)).map(({ action, label }) => ({ action, label }));
}

const harmless: ReadonlySet<ButtonAction> = new Set(["release", "keep", "extend", "end", "cancel"]);
