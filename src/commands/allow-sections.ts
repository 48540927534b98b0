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
    ...afterwards(plan),
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

/** Whose approval it needs is told of every operation alike (agreement-sections.ts). */
function afterwards({ breakGlass, review }: AllowPlan): readonly Section[] {
  if (breakGlass) {
    return optional("Break-glass", [
      "Nobody else is asked. All who could approve are told, and another person has to review it afterwards.",
    ]);
  }
  return review === undefined ? [] : optional("Afterwards", [`Somebody else is to review it: ${review}.`]);
}

function names({ objects }: AllowPlan): string {
  return counted(objects.length, "NetworkPolicy", "NetworkPolicies");
}

function specs({ objects }: AllowPlan): string {
  return objects
    .map(({ metadata: { namespace }, spec }) => `# in ${namespace}\n${stringify(spec).trimEnd()}`)
    .join("\n---\n");
}
