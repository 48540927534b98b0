import { z } from "zod";
import type { ChainedEntry } from "../audit/entry.ts";
import { formatDuration } from "../policy/duration.ts";
import { manifestName } from "../policy/manifest.ts";

/** What was done, with the command as it was typed. */
export function actionOf(entry: ChainedEntry): string {
  const typed = entry.command === undefined || entry.command === "" ? "" : `, typed: ${entry.command}`;
  return `${deed(entry)}${typed}`;
}

/** What came of it: intent and outcome of one operation each say what the other does not. */
export function outcomeOf(entry: ChainedEntry): string {
  if (entry.kind === "intent") return planned(entry);
  if (entry.kind === "observed") return [entry.summary, ...linesIn(entry)].join("; ");
  const times = entry.kind === "outcome" ? stepTimes(entry) : "";
  return times === "" ? entry.summary : `${entry.summary}. ${times}`;
}

const told = z.looseObject({ lines: z.array(z.string()) });

/** Of flows around an operation the first: whoever reads a whole chain may see all of it. */
function linesIn({ detail }: ChainedEntry): readonly string[] {
  return told.safeParse(detail).data?.lines.slice(0, mostLines) ?? [];
}

const mostLines = 10;

function deed({ kind, verb, detail = {} }: ChainedEntry): string {
  if (kind === "intent") return `${verb} confirmed`;
  if (kind === "outcome") return "error" in detail ? `${verb} failed` : `${verb} carried out`;
  if (kind === "refusal") return `${verb} refused`;
  if (kind === "incident")
    return "after" in detail ? "channel bound to an incident" : "channel bound to no incident any more";
  return `${verb} ${deeds[kind] ?? kind}`;
}

const deeds: Partial<Record<ChainedEntry["kind"], string>> = {
  drift: "told",
  observed: "told by flows",
  "approval-asked": "put to others for approval",
  withdrawn: "withdrawn before it was approved",
  void: "void, since its plan changed before it was approved",
  expired: "expired before it was approved",
};

const named = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().exactOptional() }),
});

const plan = z.union([
  z.looseObject({
    kind: z.literal("quarantine"),
    policy: z.looseObject({ metadata: z.looseObject({ name: z.string() }) }),
    removes: z.array(z.string()),
    residual: z.array(z.looseObject({ policy: z.string() })),
  }),
  z.looseObject({
    kind: z.literal("contain"),
    policy: z.looseObject({ metadata: z.looseObject({ name: z.string() }) }),
    pods: z.array(z.string()),
    residual: z.array(z.looseObject({ policy: z.string() })),
  }),
  z.looseObject({ kind: z.literal("release"), lifts: z.string(), mode: z.string() }),
  z.looseObject({
    kind: z.literal("allow"),
    objects: z.array(named),
    ttlSeconds: z.number(),
    opens: z.array(z.string()),
  }),
  z.looseObject({
    kind: z.literal("undo"),
    writes: z.array(z.looseObject({ from: named.optional(), to: named.optional() })),
    opens: z.array(z.string()),
    closes: z.array(z.string()),
  }),
]);

/** What was going to be written. */
function planned({ detail, summary }: ChainedEntry): string {
  const { data } = plan.safeParse(detail?.["plan"]);
  if (data === undefined) return summary;
  if (data.kind === "release") return `To end ${data.lifts} (${data.mode})`;
  if (data.kind === "allow") return allowed(data);
  if (data.kind === "undo") return undone(data);
  const { policy, residual } = data;
  const still = residual.length === 0 ? "" : `; still allowed by: ${residual.map((one) => one.policy).join(", ")}`;
  const touched = data.kind === "contain" ? `pods then: ${listed(data.pods)}` : labelsOff(data.removes);
  return `To be written: NetworkPolicy ${policy.metadata.name}, ${touched}${still}`;
}

type Of<K extends z.infer<typeof plan>["kind"]> = Extract<z.infer<typeof plan>, { kind: K }>;

function allowed({ objects, ttlSeconds, opens }: Of<"allow">): string {
  return `To be in force for ${formatDuration(ttlSeconds * 1_000)}: ${listed(objects.map((one) => manifestName(one)))}; opens: ${listed(opens)}`;
}

function undone({ writes, opens, closes }: Of<"undo">): string {
  const told = writes.flatMap(({ from, to }) => {
    if (to !== undefined) return [`${manifestName(to)} ${from === undefined ? "made again" : "written back"}`];
    return from === undefined ? [] : [`${manifestName(from)} deleted`];
  });
  return `To be undone: ${listed(told)}; opens: ${listed(opens)}; closes: ${listed(closes)}`;
}

function labelsOff(removes: readonly string[]): string {
  return removes.length === 0 ? "no label off" : `labels off: ${removes.join(", ")}`;
}

/** A namespace may have thousands. */
function listed(pods: readonly string[]): string {
  if (pods.length === 0) return "none";
  return `${pods.slice(0, 20).join(", ")}${pods.length > 20 ? ` and ${pods.length - 20} more` : ""}`;
}

const steps = z.array(z.object({ step: z.string(), at: z.number() }));

/** When each step was, counted from the command; and how long it took from Confirm to the end. */
function stepTimes({ detail }: ChainedEntry): string {
  const { data = [] } = steps.safeParse(detail?.["steps"]);
  const [command, ...others] = data;
  const last = others.at(-1);
  if (command === undefined || last === undefined) return "";
  const times = others.map(({ step, at }) => `${step} ${formatDuration(Math.max(0, at - command.at))}`).join(", ");
  const confirmed = others.findLast(({ step }) => step === "confirmed");
  const took =
    confirmed === undefined ? "" : `. Confirm to end: ${formatDuration(Math.max(0, last.at - confirmed.at))}`;
  return `After the command of ${iso(command.at)}: ${times}${took}`;
}

function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "an unknown time" : date.toISOString();
}
