import { z } from "zod";
import type { AlertmanagerConfig } from "./alertmanager.ts";
import type { SpikeChannels } from "./commands/spike-channels.ts";
import { namedFileProblems, type ReadFile } from "./config-files.ts";
import { duration } from "./config-values.ts";
import { type SpikePace, usualPace } from "./flows/spike-pace.ts";

const channel = z.string().regex(/^[CG][A-Z0-9]+$/, "is no channel's id");
const path = z.string().min(1, "is no path of a file");

/** A namespace's name, or its beginning and `*`. */
const owned = z.string().regex(/^([a-z0-9][-a-z0-9]*\*?|\*)$/, "is no namespace, prefix* or *");

const alertmanager = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: "is no address such as http://alertmanager.monitoring.svc:9093" })
      .refine(
        (text) => URL.parse(text)?.username === "",
        "has a user in it, which goes into username and passwordFile",
      ),
    tokenFile: path.optional(),
    username: z.string().min(1).optional(),
    passwordFile: path.optional(),
    tls: z
      .strictObject({
        caFile: path.optional(),
        certFile: path.optional(),
        keyFile: path.optional(),
        serverName: z.string().min(1, "is no name").optional(),
      })
      .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
        error: "certFile and keyFile need each other",
      })
      .default({}),
  })
  .refine(({ username, passwordFile }) => (username === undefined) === (passwordFile === undefined), {
    error: "username and passwordFile need each other",
  });

const minuteMs = 60_000;
const minutes = (usual: number) =>
  duration
    .refine((ms) => ms >= minuteMs && ms % minuteMs === 0, "is not in whole minutes, one or more")
    .default(usual * minuteMs);

/** Flows are counted by the minute: nothing is judged sooner. */
const spikes = z
  .strictObject({
    learn: minutes(usualPace.learn),
    confirm: minutes(usualPace.confirm),
    quiet: minutes(usualPace.quiet),
    late: duration.default(usualPace.lateMs),
  })
  .prefault({});

/** The section `watch`: where spikes of denied flows are told. Without flows there are none. */
export const watchSchema = z
  .strictObject({
    /** For what no channel of `channels` owns. */
    channel: channel.optional(),
    channels: z.array(z.strictObject({ namespaces: z.array(owned).min(1), channel })).default([]),
    alertmanagers: z.array(alertmanager).default([]),
    /** How long is waited before a spike is told, and before it is told to be over. */
    spikes,
    /** Where whoever is paged reads what to do; without it alerts only name the procedure. */
    runbookUrl: z.url({ protocol: /^https?$/, error: "is no address of a page" }).optional(),
    /** Whether metrics name what is denied most: whoever reads them then knows names of all namespaces. */
    metricNames: z.boolean().default(false),
  })
  .prefault({});

export type WatchConfig = {
  readonly channels: SpikeChannels;
  readonly alertmanagers: readonly AlertmanagerConfig[];
  readonly runbookUrl: string | undefined;
  readonly metricNames: boolean;
  readonly pace: SpikePace;
};

export function watchOf({
  channel: forAll,
  channels,
  alertmanagers,
  runbookUrl,
  metricNames,
  spikes: { learn, confirm, quiet, late },
}: z.infer<typeof watchSchema>): WatchConfig {
  const pace = { learn: learn / minuteMs, confirm: confirm / minuteMs, quiet: quiet / minuteMs, lateMs: late };
  return { channels: { channel: forAll, channels }, alertmanagers, runbookUrl, metricNames, pace };
}

/** What is wrong with the files that the document, as it was written, names. */
export function watchFileProblems(document: unknown, read: ReadFile): readonly string[] {
  const parsed = watchSchema.safeParse(Object(document).watch);
  if (!parsed.success) return [];
  return parsed.data.alertmanagers.flatMap((one, at) => namedFileProblems(`watch.alertmanagers.${at}`, one, read));
}
