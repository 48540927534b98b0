import { type Needed, whoMustAgree } from "../policy/approval.ts";
import { approversOf } from "../policy/approvers.ts";
import { formatDuration } from "../policy/duration.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import { personKey } from "../policy/people.ts";
import { principalKey, principalName } from "../policy/principal.ts";
import { callPeople } from "./call.ts";
import { record } from "./journal.ts";
import type { Reply } from "./reply.ts";
import type { Press } from "./request.ts";
import { store } from "./services.ts";
import { type Showing, showCard } from "./show-card.ts";
import { subjectOf } from "./subject.ts";
import { verbOf } from "./verb-of.ts";

type Asking = Showing & { readonly request: Pick<Press, "principal" | "at" | "card"> };

/**
 * Asks other people to agree to the plan of a planned operation: it is theirs to decide then, until it expires. In the
 * chain first, since what nobody could count (Redis is away) nobody can agree to. Throws LostRace.
 */
export async function requestApproval(
  context: Asking,
  operation: Operation,
  { needed, from }: Needed,
): Promise<Reply | Refusal> {
  const { services, request } = context;
  const { plan } = operation;
  if (plan === undefined) throw new Error(`operation ${operation.id} has no plan to approve`);
  const no = refuseAsker(context, operation);
  if (no !== undefined) return no;
  const askedAt = services.now();
  const expiresAt = askedAt + services.settings.approvalMs;
  const approval = { needed, from, planHash: plan.hash, askedAt, expiresAt, given: [] };
  const asked: Operation = {
    ...operation,
    state: "awaiting-approval",
    approval,
    steps: [...operation.steps, { step: "approval asked for", at: askedAt }],
  };
  if (!(await isChained(context, asked))) return nobodyCounts;
  const stored = await store(services, asked);
  const reply = await showCard(context, stored);
  const who = whoMustAgree(approval, stored);
  await callPeople(context, stored, {
    headline: `Approval needed: ${verbOf(stored.kind)} ${subjectOf(stored)}`,
    lines: [
      `${principalName(request.principal)} asks for the agreement of ${who}, within ${formatDuration(expiresAt - askedAt)}. Read the plan on the card of ${stored.id} and press Approve or Deny there, or type /np approve ${stored.id} or /np deny ${stored.id}.`,
    ],
    mentions: approversOf(services.settings.access, stored, from),
  });
  return reply;
}

const nobodyCounts = refusal(
  "it needs the agreement of others, and that is counted where Redis is, which does not answer",
  "Press it again when Redis answers, or do without what needs an approval.",
);

/** Who asks is whom no approver may be: it is for whoever the plan was drawn for, and somebody one can tell from others. */
function refuseAsker({ services, request }: Asking, { principal, id }: Operation): Refusal | undefined {
  const { people } = services.settings.access;
  if (principal.kind === "in-pod" || principalKey(principal) === undefined) {
    return refusal(
      "it needs the agreement of others, and nobody can tell you from them: here everybody is the same",
      "Type it in Slack, or at a terminal with your own kubeconfig.",
    );
  }
  if (personKey(people, principal) === personKey(people, request.principal)) return undefined;
  return refusal(
    `only ${principalName(principal)}, who asked for ${id}, can ask for its approval`,
    "To ask for it yourself, type the command.",
  );
}

async function isChained({ services, request }: Asking, asked: Operation): Promise<boolean> {
  const { approval, plan } = asked;
  if (approval === undefined) return false;
  try {
    const appended = await record(services, asked, {
      kind: "approval-asked",
      step: approval.planHash.slice(0, 12),
      actor: request.principal,
      summary: `approval asked for of ${whoMustAgree(approval, asked)}, until ${new Date(approval.expiresAt).toISOString()}`,
      detail: { approval, plan },
    });
    return appended.kind === "chained";
  } catch (error) {
    services.meter({ kind: "error", where: "audit approval", message: String(error) });
    return false;
  }
}
