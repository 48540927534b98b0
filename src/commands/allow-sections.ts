import { stringify } from "yaml";
import { formatDuration } from "../policy/duration.ts";
import type { AllowPlan } from "../policy/plan.ts";
import { counted } from "./impact-words.ts";
import { optional } from "./plan-sections.ts";
import type { Section } from "./reply.ts";

/** What an allowance would open and write, and when it closes by itself. */
export function allowSections(plan: AllowPlan): readonly Section[] {
  return [
    ...optional("Warning", plan.warnings),
    { kind: "list", title: "What opens, by all policies together", items: plan.opens, mustRead: true },
    { kind: "list", title: "When it closes", items: closing(plan), mustRead: true },
    ...agreement(plan),
    { kind: "code", title: `What will be written (${names(plan)})`, text: specs(plan), mustRead: true },
  ];
}

function closing({ ttlSeconds, maxSeconds }: AllowPlan): readonly string[] {
  const [ttl, max] = [formatDuration(ttlSeconds * 1_000), formatDuration(maxSeconds * 1_000)];
  return [
    `By itself ${ttl} after it is written, by the API server's clock, whatever else is down.`,
    `It can be extended to ${max} in all, and ended at any time.`,
    "Connections that are open then may survive: some engines apply a change of policy to new connections only.",
  ];
}

function agreement({ approvals: { needed, from }, breakGlass, review }: AllowPlan): readonly Section[] {
  const who = from.length === 0 ? "who may approve here" : `of ${from.join(", ")}`;
  const items = [
    ...(breakGlass
      ? [
          "Break-glass: nobody else is asked. It is told to all who could approve, and stays open until one of them reviews it.",
        ]
      : []),
    ...(needed > 0
      ? [`${counted(needed, "other person", "other people")} ${who} must approve exactly this plan.`]
      : []),
    ...(review === undefined || breakGlass ? [] : [`Afterwards somebody else is to review it: ${review}.`]),
  ];
  return optional("Who must agree", items);
}

function names({ objects }: AllowPlan): string {
  return counted(objects.length, "NetworkPolicy", "NetworkPolicies");
}

function specs({ objects }: AllowPlan): string {
  return objects
    .map(({ metadata: { namespace }, spec }) => `# in ${namespace}\n${stringify(spec).trimEnd()}`)
    .join("\n---\n");
}
