import { createHash } from "node:crypto";
import { principalKey } from "../policy/principal.ts";
import type { Alarm } from "./desk.ts";
import { type Refused, recordRefusal, writeRefusal } from "./journal.ts";
import type { Press, Request } from "./request.ts";
import { createSampler, type Sample } from "./sampling.ts";
import { sees } from "./sees.ts";
import type { Services } from "./services.ts";

/**
 * What people without any right, and callers who are nobody, can put into the audit log: the first at once, then one
 * entry a minute of each kind with the number of those in between (invariant 7: nobody can flood the chain). Nothing
 * here rejects: what cannot be written is metered.
 */
export type SampledJournal = {
  /** A known person was turned away: of the same person for the same reason only samples are written. */
  turnedAway(asked: Request | Press, about: Refused): Promise<void>;
  /** A person was refused by the access section: each time an entry where some right is theirs anywhere, else as above. */
  refused(asked: Request | Press, about: Refused): Promise<void>;
  alarm(alarm: Alarm): Promise<void>;
  /** Writes what was only counted and is due; with `all` whatever was only counted. */
  flush(all: boolean): Promise<void>;
};

type Refusal = { readonly asked: Request | Press; readonly about: Refused };
type Raised = { readonly alarm: Alarm; readonly at: number };

const everyMs = 60_000;

export function createSampledJournal(services: Services): SampledJournal {
  const options = { now: () => services.now(), everyMs, mostKinds: 500 };
  const refusals = createSampler<Refusal>(options);
  const alarms = createSampler<Raised>(options);
  const turnedAway: SampledJournal["turnedAway"] = async (asked, about) => {
    services.meter({ kind: "refusal", verb: about.verb });
    const kind = `${principalKey(asked.principal)} ${about.why}`;
    await writeTurnedAway(services, refusals.take(kind, { asked, about }));
  };
  return {
    turnedAway,
    refused(asked, about) {
      const hasSome = sees(services, asked.principal, { cluster: undefined, namespace: undefined });
      return hasSome ? recordRefusal(services, asked, about) : turnedAway(asked, about);
    },
    async alarm(alarm) {
      await writeAlarm(services, alarms.take(alarm.kind, { alarm, at: services.now() }));
    },
    async flush(all) {
      for (const sample of refusals.due(all)) await writeTurnedAway(services, sample);
      for (const sample of alarms.due(all)) await writeAlarm(services, sample);
    },
  };
}

async function writeTurnedAway(services: Services, sample: Sample<Refusal> | undefined): Promise<void> {
  if (sample === undefined) return;
  const { asked, about } = sample.value;
  const more = sample.held === 0 ? "" : ` (and ${sample.held} more like it since the entry before)`;
  await writeRefusal(services, asked, { ...about, why: `${about.why}${more}` });
}

const what: Record<Alarm["kind"], string> = {
  unsigned: "without a signature of Slack",
  forged: "with a signature that is not Slack's",
  stale: "that Slack signed more than five minutes ago",
  future: "signed for a time that is not yet",
  replayed: "that had been delivered before, byte for byte",
  foreign: "by somebody of another organisation",
  "forged-response-url": "with a response_url that is not Slack's",
};

async function writeAlarm(services: Services, sample: Sample<Raised> | undefined): Promise<void> {
  if (sample === undefined) return;
  const { alarm, at } = sample.value;
  const unique = createHash("sha256").update(`${services.replica}\n${alarm.kind}\n${at}`).digest("hex").slice(0, 16);
  const calls = sample.held === 0 ? "a call" : `${sample.held + 1} calls since the entry before, the last of them`;
  try {
    await services.audit.append({
      id: `forgery:${unique}`,
      kind: "forgery",
      at: new Date(at).toISOString(),
      verb: alarm.kind,
      actor: { kind: "scheduler" },
      where: { source: "slack" },
      ok: false,
      summary: `refused ${calls} ${what[alarm.kind]}${alarm.from === undefined ? "" : `: ${alarm.from.slice(0, 100)}`}`,
      detail: { calls: sample.held + 1 },
      replica: services.replica,
    });
  } catch (error) {
    services.meter({ kind: "error", where: "audit forgery", message: String(error) });
  }
}
