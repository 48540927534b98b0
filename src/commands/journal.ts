import { createHash } from "node:crypto";
import type { EntryKind, NewEntry } from "../audit/entry.ts";
import type { Appended, AppendOptions } from "../audit/log.ts";
import { isContaining, type Operation, type OperationKind } from "../policy/operation.ts";
import type { Principal } from "../policy/principal.ts";
import { targetKind, targetPath } from "../policy/target.ts";
import type { Hold } from "./hold.ts";
import type { Press, Request } from "./request.ts";
import type { Services } from "./services.ts";
import { tracingOf } from "./tracing.ts";

/** What is written about one operation at one moment. */
export type Note = {
  readonly kind: EntryKind;
  readonly actor: Principal;
  readonly ok?: boolean;
  readonly summary: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Which of several entries of the kind, for its id; and what was done, where it is not the operation itself. */
  readonly step?: string;
  readonly verb?: string;
};

/**
 * Writes an entry about the operation; durable when it returns, and throws where it must be and cannot. Where Redis is
 * away, what may be spooled is: the result then says so. Its id is the operation's with the kind (and the number of a second
 * try), so that the same entry written twice is one.
 */
export function record(services: Services, operation: Operation, entry: Note): Promise<Appended> {
  const spool = maySpool(operation.kind, entry.kind);
  return append(services, entryOf(services, operation, entry), { spool });
}

/**
 * The same under an id that says all that makes it one, so that several replicas write it once; it may be spooled: it is of
 * what happened already.
 */
export function recordAs(services: Services, operation: Operation, entry: Note, id: string): Promise<Appended> {
  return append(services, { ...entryOf(services, operation, entry), id }, { spool: true });
}

/**
 * Invariant 1: what widens waits for the chain, which is its intent; nothing that contains waits, and nothing done. What
 * people are asked to agree to has to be where all replicas count.
 */
export function maySpool(operation: OperationKind, entry: EntryKind): boolean {
  if (entry === "approval-asked") return false;
  return isContaining(operation) || entry !== "intent";
}

/**
 * The same for an outcome, which must not contradict the card: whoever took the operation over may find that its
 * predecessor wrote another end and could not store it. The chain then holds both, the later one with an id of its own
 * that counts the takeovers. Throws LeaseLost where another replica tells how it ended.
 */
export async function recordEnd(services: Services, operation: Operation, end: Note, hold: Hold): Promise<Appended> {
  const first = await record(services, operation, end);
  if (agrees(first, end)) return first;
  await hold.check();
  const takeovers = operation.steps.filter(({ step }) => step.startsWith("taken over by")).length;
  const last = await lastAgain(services, operation, takeovers);
  if (last !== undefined && agrees(last, end)) return last;
  const entry = { ...entryOf(services, operation, end), id: againId(operation, takeovers) };
  return append(services, entry, { spool: true });
}

function agrees(appended: Appended, { ok, summary }: Note): boolean {
  return appended.kind !== "chained" || (appended.entry.ok === ok && appended.entry.summary === summary);
}

async function lastAgain(services: Services, operation: Operation, takeovers: number): Promise<Appended | undefined> {
  for (let number = takeovers; number > 0; number -= 1) {
    const entry = await services.audit.find(againId(operation, number));
    if (entry !== undefined) return { kind: "chained", entry };
  }
  return undefined;
}

function againId(operation: Operation, takeovers: number): string {
  return `${entryId(operation, "outcome")}:again:${takeovers}`;
}

/** The id of the operation's entry of that kind, in the try that it is in or in that one. */
export function entryId({ id, confirmed }: Operation, kind: EntryKind, attempt = confirmed?.attempt ?? 1): string {
  return attempt > 1 ? `${id}:${kind}:${attempt}` : `${id}:${kind}`;
}

/** Whether entries of the operation may still come into the chain by themselves. */
export function waitsForChain({ kept, result }: Operation): boolean {
  return kept === true || result?.audited === waits.pending || result?.audited === waits.spooled;
}

const waits = {
  pending: "audit: kept in the cluster until the bot adopts it into the chain",
  spooled: "audit: spooled on this replica until Redis is back",
};

function entryOf(services: Services, operation: Operation, entry: Note): NewEntry {
  const { target, card, origin, plan } = operation;
  const { step, verb = operation.kind, ...note } = entry;
  const id = entryId(operation, entry.kind);
  return {
    ...note,
    id: step === undefined ? id : `${id}:${step}`,
    at: new Date(services.now()).toISOString(),
    operation: operation.id,
    verb,
    cluster: target.cluster,
    namespace: target.namespace,
    object: `${targetKind(target)} ${targetPath(target)}`,
    where: {
      source: origin.source,
      ...(origin.channel === undefined ? {} : { channel: origin.channel }),
      ...(card?.permalink === undefined ? {} : { permalink: card.permalink }),
    },
    command: origin.command,
    ...(plan === undefined ? {} : { planHash: plan.hash }),
    ...(operation.reason === "" ? {} : { reason: operation.reason }),
    ...(operation.incident === undefined ? {} : { incident: operation.incident }),
    replica: services.replica,
  };
}

/** Who was refused what, where, and the reason. */
export type Refused = {
  readonly verb: string;
  readonly cluster?: string | undefined;
  readonly namespace?: string | undefined;
  readonly incident?: string | undefined;
  readonly why: string;
};

/** Counts the refusal of a known person and writes it. */
export async function recordRefusal(services: Services, asked: Request | Press, about: Refused): Promise<void> {
  services.meter({ kind: "refusal", verb: about.verb });
  await writeRefusal(services, asked, about);
}

/** The entry alone. It must not keep the refusal from being given: what fails is metered. */
export async function writeRefusal(services: Services, asked: Request | Press, about: Refused): Promise<void> {
  const command = "text" in asked ? asked.text : `press ${asked.action} ${asked.operation}`;
  const entry: NewEntry = {
    id: `refusal:${createHash("sha256").update(asked.delivery).digest("hex").slice(0, 16)}`,
    kind: "refusal",
    at: new Date(services.now()).toISOString(),
    verb: about.verb,
    ...(about.cluster === undefined ? {} : { cluster: about.cluster }),
    ...(about.namespace === undefined ? {} : { namespace: about.namespace }),
    ...(about.incident === undefined ? {} : { incident: about.incident }),
    actor: asked.principal,
    where: { source: asked.source, ...(asked.channel === undefined ? {} : { channel: asked.channel }) },
    command: command.slice(0, 1_000),
    ok: false,
    summary: `refused: ${about.why}`,
    replica: services.replica,
  };
  try {
    await append(services, entry, { spool: true });
  } catch (error) {
    services.meter({ kind: "error", where: "audit refusal", message: String(error) });
  }
}

function append(services: Services, entry: NewEntry, options: AppendOptions): Promise<Appended> {
  const tracing = tracingOf(services);
  return tracing.span("append audit", { "bulkhead.entry": entry.kind }, async () => {
    const appended = await services.audit.append(entry, options);
    tracing.set({ "bulkhead.result": appended.kind });
    return appended;
  });
}

/** Where an entry stands, for the card. */
export function standing(appended: Appended): string {
  switch (appended.kind) {
    case "chained":
      return `audit #${appended.entry.seq}, chain head ${appended.entry.hash.slice(0, 12)}`;
    case "pending":
    case "spooled":
      return waits[appended.kind];
    case "told-only":
      return "audit: NOT stored (Redis is away and the spool takes no more): the line on the bot's standard output is the record";
  }
}
