import { createHash } from "node:crypto";
import type { Cluster } from "../kubernetes/cluster.ts";
import { knownAllowance } from "../policy/allowance.ts";
import { type Manifest, manifestName } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import { type AllowanceEnd, mayHaveLeft, type Operation } from "../policy/operation.ts";
import type { Endings } from "./allowance-endings.ts";
import type { Followed } from "./allowance-memory.ts";
import type { AllowanceRecords } from "./allowance-records.ts";
import { timerFor } from "./allowance-timers.ts";
import { operationCard } from "./card.ts";
import { closeObject, untilEnd } from "./close-allowance.ts";
import { inTime } from "./clusters.ts";
import type { Outlet } from "./desk.ts";
import { recordAs } from "./journal.ts";
import { rebuiltAllowance } from "./rebuild-allowance.ts";
import { amend, type Services } from "./services.ts";

/** What the records are made to say after a list of a cluster. */
export type Listed = {
  /** Live allowances of that cluster, read before the list; undefined where Redis is away. */
  readonly live: readonly Operation[] | undefined;
  readonly objects: readonly Manifest[];
  readonly endings: readonly Followed[];
};

export type Bookkeeping = {
  live(cluster: Cluster): Promise<readonly Operation[] | undefined>;
  /** Timers, lost records, alterations, ends. Each by itself, within 10 s; what fails is metered, and done with the next list. Never rejects. */
  keep(cluster: Cluster, listed: Listed): Promise<void>;
};

type Parts = {
  readonly services: Services;
  readonly records: AllowanceRecords;
  readonly endings: Endings;
  readonly outletFor: (operation: Operation) => Outlet;
};

const withinMs = 10_000;

/** Brings Redis in line with the cluster, which holds the truth. */
export function createBookkeeping({ services, records, endings, outletFor }: Parts): Bookkeeping {
  const told = new Set<string>();
  const attempt = async (where: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await inTime(work(), withinMs);
    } catch (error) {
      services.meter({ kind: "error", where, message: String(error) });
    }
  };
  return {
    async live(cluster) {
      const all = await inTime(services.operations.list({ live: true })).catch(() => undefined);
      const here = all?.filter(({ kind, target }) => kind === "allowance" && target.cluster === cluster.name);
      here?.forEach((operation) => records.remember(operation));
      return here;
    },
    async keep(cluster, { live, objects, endings: ends }) {
      const byOperation = Map.groupBy(objects, (object) => knownAllowance(object)?.operation ?? "");
      await attempt("allowance timers", () => ensureTimers(services, cluster, ends));
      if (live === undefined) return;
      for (const [id, of] of byOperation) {
        const operation = live.find((one) => one.id === id);
        await attempt("allowance record", async () => {
          const stored = operation ?? (await restore({ services, records }, cluster, of));
          // What its plan wrote is known to the watch for drift, which tells it sooner.
          if (stored !== undefined && stored.plan?.kind !== "allow")
            await tellAltered({ services, records, outletFor, told }, stored, of);
        });
      }
      const missing = live.filter((operation) => isOpen(operation) && !byOperation.has(operation.id));
      await attempt("end allowance", () => endings.settle(cluster, missing));
    },
  };
}

/** Whether it is written down that something of it is in the cluster. */
function isOpen(operation: Operation): boolean {
  const { state, allowance } = operation;
  return allowance?.ended === undefined && (state === "in-force" || mayHaveLeft(operation));
}

/** Redis' clock is asked for nothing but differences. Without Redis the other nets do. */
async function ensureTimers({ timers }: Services, cluster: Cluster, endings: readonly Followed[]): Promise<void> {
  const now = cluster.serverTime();
  if (timers === undefined || now === undefined || endings.length === 0) return;
  const wanted = endings.map((ending) => ({ timer: timerFor(cluster, ending), inMs: untilEnd(now, ending.endsAt) }));
  await timers.ensure(wanted);
}

/** A record that Redis has lost; undefined where there is one that is not live any more. */
async function restore(
  { services, records }: Pick<Parts, "services" | "records">,
  cluster: Cluster,
  objects: readonly Manifest[],
): Promise<Operation | undefined> {
  const id = knownAllowance(objects[0] as Manifest)?.operation ?? "";
  const stored = await services.operations.get(id);
  if (stored?.allowance?.ended !== undefined) await closeLeft(cluster, stored.allowance.ended, objects);
  if (stored !== undefined) return undefined;
  const rebuilt = rebuiltAllowance(cluster.name, objects, records.remembered(id));
  const note = {
    kind: "rebuilt",
    actor: { kind: "scheduler" },
    ok: true,
    summary: `its record was lost, and made anew of ${objects.map((object) => manifestName(object)).join(", ")}`,
    detail: { operation: rebuilt, objects },
  } as const;
  await recordAs(services, rebuilt, note, `${id}:rebuilt`);
  const accepted = await services.operations.accept(rebuilt);
  if (accepted.kind === "collision") throw new Error(`the id ${id} is taken`);
  if (accepted.kind === "accepted" && accepted.lease !== undefined) await services.leases.end(accepted.lease);
  return accepted.operation;
}

/** Of an allowance that has ended nothing may be left: who ended it did not see this one. */
async function closeLeft(cluster: Cluster, { at }: AllowanceEnd, objects: readonly Manifest[]): Promise<void> {
  const left = objects.filter((object) => (knownAllowance(object)?.createdAt ?? at) < at);
  for (const reference of left) {
    await closeObject({ cluster }, { reference, uid: reference.metadata.uid, why: "ended" });
  }
}

type Telling = Pick<Parts, "services" | "records" | "outletFor"> & { readonly told: Set<string> };

/** What somebody else did to an object is said once, in the audit and on the card; it ends all the same. */
async function tellAltered(telling: Telling, operation: Operation, objects: readonly Manifest[]): Promise<void> {
  for (const object of objects) {
    for (const what of alterations(object, operation, telling.records.remembered(operation.id))) {
      await tellOnce(telling, { operation, object, what: `${what}. It ends in time all the same.` });
    }
  }
}

type Altered = { readonly operation: Operation; readonly object: Manifest; readonly what: string };

async function tellOnce({ services, outletFor, told }: Telling, { operation, object, what }: Altered): Promise<void> {
  const line = `ALTERED by somebody else: ${manifestName(object)}, ${what}`;
  const id = `${operation.id}:altered:${digestOf(`${object.metadata.uid} ${what}`)}`;
  if (told.has(id)) return;
  const note = { kind: "altered", actor: { kind: "scheduler" }, ok: true, summary: line, detail: { object } } as const;
  await recordAs(services, operation, note, id);
  const stored = await amend(services, operation.id, (now) => withLine(now, line));
  await outletFor(stored).show(operationCard(stored, services.now()), stored.card);
  told.add(id);
}

/**
 * A NetworkPolicy's generation counts changes of its spec, and Bulkhead makes none. An extension that was not finished is
 * nobody else's.
 */
function alterations(
  object: Manifest,
  { allowance }: Operation,
  recordedSeconds: number | undefined,
): readonly string[] {
  const { generation = 1, annotations } = object.metadata;
  const isExtending = annotations?.[marks.ttlSeconds] === String(allowance?.extending?.ttlSeconds);
  const altered = isExtending ? undefined : knownAllowance(object, recordedSeconds)?.altered;
  return [
    ...(altered === undefined ? [] : [altered]),
    ...(generation === 1 ? [] : ["its spec was changed: it opens what it says now"]),
  ];
}

function withLine(operation: Operation, line: string): Operation {
  const { result } = operation;
  if (result === undefined || result.lines.includes(line)) return operation;
  return { ...operation, result: { ...result, lines: [line, ...result.lines] } };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
