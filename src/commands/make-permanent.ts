import { stringify } from "yaml";
import { formatDuration } from "../policy/duration.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { AllowPlan } from "../policy/plan.ts";
import { principalName } from "../policy/principal.ts";
import { targetName } from "../policy/target.ts";
import { code, note, text } from "./answers.ts";
import type { Reply, Section } from "./reply.ts";
import type { Press } from "./request.ts";
import type { Context } from "./services.ts";

/** What a person needs to ask for the same for good, the usual way: manifests and a text. It changes nothing. */
export async function makePermanent({ outlet }: Context<Press>, operation: Operation): Promise<Reply> {
  const reply = permanentNote(operation);
  await outlet.show(reply, undefined);
  return reply;
}

/** In Slack all of a note has to fit into 12 kB of blocks; half a manifest is worse than none. */
const mostManifests = 6_000;

function permanentNote(operation: Operation): Reply {
  const { plan, id } = operation;
  if (plan?.kind !== "allow") {
    const lost = "Its record was lost, so that what it opens is only in its objects in the cluster.";
    return note(`What ${id} opens is not known`, [text(lost), code("Look at them", kubectl(operation))], "refused");
  }
  return note(`To make ${id} permanent`, [
    text("Nothing was changed: it ends in time all the same. Put these into your repository, and ask its owners."),
    manifests(operation, plan),
    code("Text for the change request", changeRequest(operation, plan)),
    text(
      "The manifests leave quarantined pods out (bulkhead.dev/quarantine), so that a quarantine of one still holds.",
    ),
  ]);
}

function manifests(operation: Operation, plan: AllowPlan): Section {
  const shown = plan.objects.map((object, index) => stringify(plainManifest(plan, object, index)).trimEnd());
  const all = shown.join("\n---\n");
  if (all.length <= mostManifests) return code("Manifests", all);
  return code("The manifests are too long to be shown here; without names, labels and annotations", kubectl(operation));
}

/** As the team would write it: nothing in it says that it is Bulkhead's, which would end it. */
function plainManifest({ template }: AllowPlan, { metadata, spec }: NetworkPolicy, index: number): object {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `allow-${template.name}-${index + 1}`, namespace: metadata.namespace },
    spec,
  };
}

function kubectl({ id, target }: Operation): string {
  return `kubectl --context ${target.cluster} get networkpolicies -A -l bulkhead.dev/operation=${id} -o yaml`;
}

function changeRequest(operation: Operation, { template, parameters, opens, ttlSeconds }: AllowPlan): string {
  const { id, target, reason, principal, confirmed, approval, incident, allowance } = operation;
  const given = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const people = [
    `asked by ${principalName(principal)}`,
    ...(confirmed === undefined ? [] : [`confirmed by ${principalName(confirmed.by)}`]),
    ...(approval?.given ?? []).map(({ by }) => `approved by ${principalName(by)}`),
  ];
  const opened = confirmed === undefined ? "" : `opened ${new Date(confirmed.at).toISOString()}, `;
  const until = allowance?.endsAt === undefined ? "" : new Date(allowance.endsAt).toISOString();
  const first = formatDuration(ttlSeconds * 1_000);
  return [
    `Make permanent: ${template.title}, in ${targetName(target)} of cluster ${target.cluster}`,
    "",
    "What it opens:",
    ...opens.map((line) => `- ${line}`),
    `Why: ${reason === "" ? "no reason was given" : reason}`,
    `By whom: ${people.join(", ")}`,
    `Until when: ${opened}ends ${until} (at first for ${first})`,
    `Template: ${template.name}, version ${template.version}, of ${template.owner}${given.length === 0 ? "" : `, with ${given.join(" ")}`}`,
    `Operation: ${id}${incident === undefined ? "" : `, incident ${incident}`}`,
  ].join("\n");
}
