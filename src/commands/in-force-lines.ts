import { knownAllowance } from "../policy/allowance.ts";
import { formatDuration } from "../policy/duration.ts";
import { marks } from "../policy/marks.ts";
import type { LabelSelector, Labels, NetworkPolicy } from "../policy/objects.ts";
import { clock } from "./allow-words.ts";

/** What of ours is in force: what cuts off, and what opens. */
export const inForceSelector: LabelSelector = {
  matchExpressions: [{ key: marks.kind, operator: "In", values: ["quarantine", "lockdown", "allowance"] }],
};

/** `serverMs`: the API server's clock, undefined where it says none. Milliseconds since the epoch. */
type Now = { readonly now: number; readonly serverMs: number | undefined };

/** A line for each operation by its objects alone, as the cluster holds the truth. */
export function inForceLines(policies: readonly NetworkPolicy[], at: Now): readonly string[] {
  const operations = Map.groupBy(policies, ({ metadata }) => metadata.labels?.[marks.operation] ?? metadata.name);
  return [...operations.values()].flatMap((same) => same.slice(0, 1).map((policy) => lineOf(policy, same.length, at)));
}

function lineOf(policy: NetworkPolicy, count: number, at: Now): string {
  const { labels = {}, annotations = {}, namespace } = policy.metadata;
  const by = `by ${annotations[marks.principal] ?? "?"}${whyOf(annotations)}`;
  const id = labels[marks.operation] ?? "?";
  if (labels[marks.kind] === "allowance") return `${id}: ${allowanceWords(policy, count, at)}, ${by}`;
  const how = labels[marks.kind] === "lockdown" ? "locked down" : "quarantined";
  return `${id}: ${whatOf(namespace, annotations)} ${how} for ${ageOf(policy, at.now)} ${by}`;
}

function allowanceWords(policy: NetworkPolicy, count: number, { now, serverMs = now }: Now): string {
  const { annotations = {}, namespace, name } = policy.metadata;
  const known = knownAllowance(policy);
  if (known === undefined) return `NetworkPolicy ${namespace}/${name} says that it is an allowance, and is none`;
  const [template = "?"] = (annotations[marks.template] ?? "?").split("@");
  const left = known.endsAt - serverMs;
  const still = `until ${clock(known.endsAt, now)}, ${formatDuration(left)} more`;
  const objects = count > 1 ? ` (${count} policies)` : "";
  const altered = known.altered === undefined ? "" : `; ${known.altered}, so the earliest end that is known holds`;
  return `${template} in ${namespace}${objects} open ${left > 0 ? still : `and OVERDUE by ${formatDuration(-left)}`}${altered}`;
}

function ageOf({ metadata: { creationTimestamp } }: NetworkPolicy, now: number): string {
  return creationTimestamp === undefined ? "?" : formatDuration(Math.max(0, now - Date.parse(creationTimestamp)));
}

function whatOf(namespace: string, annotations: Labels): string {
  const [pod = "?"] = (annotations[marks.pod] ?? "?").split(" ");
  return annotations[marks.target] ?? `${namespace}/${pod}`;
}

function whyOf(annotations: Labels): string {
  const { [marks.incident]: incident = "", [marks.reason]: reason = "" } = annotations;
  return `${incident === "" ? "" : ` for ${incident}`}${reason === "" ? "" : `: ${reason}`}`;
}
