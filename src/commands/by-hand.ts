import { decideAccess } from "../policy/access.ts";
import type { Refusal } from "../policy/guard.ts";
import { containing, marks } from "../policy/marks.ts";
import type { Labels, NetworkPolicy } from "../policy/objects.ts";
import { selectorQuery } from "../policy/selector.ts";
import { type Target, targetReference } from "../policy/target.ts";
import { code, note, text } from "./answers.ts";
import { namedDenies } from "./denies-mark.ts";
import type { Reply, Section } from "./reply.ts";
import type { Context } from "./services.ts";
import { parsedLabels } from "./snapshot.ts";

/** What is to be released: an operation or the beginning of its id, a pod or the beginning of its name, a workload, a namespace. */
type Meant =
  | { readonly operation: string }
  | (Pick<Target, "namespace" | "pod" | "workload"> & { readonly cluster?: string | undefined });

/**
 * The answer to a release while Redis is away: a release opens, so Bulkhead does not do it without its audit log; the
 * exact kubectl lines are for a person to decide. All from the clusters alone, and only where the person may release.
 */
export async function releaseByHand(context: Context, meant: Meant): Promise<Reply> {
  const { found, unasked } = await quarantines(context, meant);
  const [only, ...more] = found;
  const sections = [...unasked];
  if (only === undefined) {
    sections.push(text("No quarantine that is meant and that you may release was found."));
  } else sections.push(...(more.length > 0 ? [several(found)] : linesOf(context, only, whenBack)));
  const reply = note(
    "Not done: a release opens, and Redis does not answer",
    [text("Bulkhead opens nothing that it cannot record first. Type it again when Redis answers."), ...sections],
    "failed",
  );
  await context.outlet.show(reply, undefined);
  return reply;
}

const whenBack =
  "The labels are those that the policy's annotation names; their hash in the audit log could not be compared. Release it here as well when Redis is back, so that the record says so.";

/** What is not stored: there may be a quarantine of it in a cluster all the same. */
export type Unrecorded = Refusal & { readonly unrecorded: Meant };

export function unrecorded(no: Refusal, meant: Meant): Unrecorded {
  return { ...no, unrecorded: meant };
}

/**
 * The answer to a release of a quarantine that only the cluster knows (Redis was emptied): the same kubectl lines.
 * Undefined where none is meant that the person may release, or where its operation is stored. Throws where Redis is away.
 */
export async function releaseUnrecorded(context: Context, no: Refusal | Unrecorded): Promise<Reply | undefined> {
  if (!("unrecorded" in no)) return undefined;
  const { found } = await quarantines(context, no.unrecorded);
  const known = await Promise.all(found.map((one) => isStored(context, one)));
  const lost = found.filter((_, index) => known[index] === false);
  const [only, ...more] = lost;
  if (only === undefined) return undefined;
  return note(
    "Not done: Bulkhead has no record of this quarantine",
    [text(noRecord), ...(more.length > 0 ? [several(lost)] : linesOf(context, only, proveFirst))],
    "refused",
  );
}

const noRecord =
  "It is in force in the cluster, and Bulkhead's own record of it is lost: Redis was emptied or went back to an older state (or another installation of Bulkhead made it). Without the record Bulkhead cannot prove what the pod's labels were, and releases nothing. One that was made from a terminal a moment ago is taken over soon: then type it again.";

const proveFirst =
  "The labels are those that the policy's annotation names. Compare them first with the operation's intent in the copies of the audit log (the bot's standard output, or an export).";

async function isStored({ services }: Context, { policy }: Found): Promise<boolean> {
  const id = policy.metadata.labels?.[marks.operation];
  return id !== undefined && (await services.operations.get(id)) !== undefined;
}

type Found = {
  readonly cluster: string;
  readonly policy: NetworkPolicy;
  /** Empty where it is of a workload or a namespace. */
  readonly pod: string;
  /** The workload or namespace as it is typed; undefined where it is of a pod. */
  readonly group: string | undefined;
};

type Asked = { readonly found: readonly Found[]; readonly unasked: readonly Section[] };

/** Each cluster by itself where the person may release: one that does not answer is named, and hides no other's. */
async function quarantines({ services, request }: Context, meant: Meant): Promise<Asked> {
  const may = (cluster: string, namespace: string | undefined): boolean =>
    decideAccess(services.settings.access, request.principal, "release", { cluster, namespace }).allowed;
  const asked = [...services.clusters].filter(([cluster]) => may(cluster, undefined) && isAsked(cluster, meant));
  const answers = await Promise.all(
    asked.map(async ([cluster, entry]): Promise<Asked> => {
      try {
        const policies = await entry.cluster.listPolicies(selectorQuery(containing));
        const all = policies.map(
          (policy): Found => ({
            cluster,
            policy,
            pod: podOf(policy),
            group: policy.metadata.annotations?.[marks.target],
          }),
        );
        return {
          found: all.filter((one) => isMeant(one, meant) && may(cluster, one.policy.metadata.namespace)),
          unasked: [],
        };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return { found: [], unasked: [text(`Cluster ${cluster} could not be asked: ${why}`)] };
      }
    }),
  );
  return { found: answers.flatMap(({ found }) => found), unasked: answers.flatMap(({ unasked }) => unasked) };
}

function isAsked(cluster: string, meant: Meant): boolean {
  return "operation" in meant || meant.cluster === undefined || meant.cluster === cluster;
}

function podOf({ metadata }: NetworkPolicy): string {
  return metadata.annotations?.[marks.pod]?.split(" ")[0] ?? "";
}

function isMeant({ policy, pod, group }: Found, meant: Meant): boolean {
  const { namespace, labels = {} } = policy.metadata;
  if ("operation" in meant) return labels[marks.operation]?.startsWith(meant.operation) === true;
  if (meant.pod === undefined) return meant.namespace === namespace && group === targetReference(meant);
  return meant.namespace === namespace && group === undefined && pod.startsWith(meant.pod);
}

function several(found: readonly Found[]): Section {
  const names = found.map(
    ({ cluster, policy, pod, group }) =>
      `${policy.metadata.labels?.[marks.operation]} (${group ?? pod} in cluster ${cluster})`,
  );
  return text(`Several are meant: ${names.join(", ")}. Name one for its kubectl lines.`);
}

function linesOf({ services }: Context, found: Found, proof: string): readonly Section[] {
  if (found.group !== undefined) return groupLinesOf(found);
  const { cluster, policy, pod } = found;
  const lines = releaseLines(policy, pod, services.settings.settleMs);
  const operation = policy.metadata.labels?.[marks.operation] ?? "?";
  const { name } = policy.metadata;
  if (lines === undefined) {
    const said = `Annotation ${marks.snapshot} of NetworkPolicy ${name} does not say what the labels of ${pod} were: somebody changed it. Look at it before you restore them by hand.`;
    return [text(said)];
  }
  return [
    text(`If it cannot wait, these lines end ${operation} by hand, in cluster ${cluster}, in this order:`),
    code(undefined, lines.join("\n")),
    ...(policy.metadata.annotations?.[marks.changed] === undefined ? [] : [text(takeOut)]),
    text(proof),
  ];
}

const takeOut = `Where a line edits a policy, take ${marks.quarantine} out of its spec.podSelector: the quarantine put it there.`;

/** No label was changed, so that deleting is all. */
function groupLinesOf({ cluster, policy }: Found): readonly Section[] {
  const { name, namespace, annotations = {}, labels = {} } = policy.metadata;
  const denies = namedDenies(annotations[marks.denies]);
  if (denies === undefined) {
    const said = `Annotation ${marks.denies} of NetworkPolicy ${name} does not name objects: somebody changed it. Look at it before you delete by hand.`;
    return [text(said)];
  }
  const lines = [...denies.toReversed(), `networkpolicy/${name}`].map((one) => `kubectl delete ${one} -n ${namespace}`);
  return [
    text(
      `If it cannot wait, these lines end ${labels[marks.operation] ?? "?"} by hand, in cluster ${cluster}, in this order:`,
    ),
    code(undefined, lines.join("\n")),
    text("No pod's label was changed. Release it here as well when Redis is back, so that the record says so."),
  ];
}

/**
 * The kubectl lines by which a person ends a quarantine without Bulkhead, in the order that leaves no open moment:
 * labels back, a wait, our label off, our objects off. Undefined where the policy does not say what the labels were, or
 * says it in strings that no label can hold: those would go into a shell.
 */
export function releaseLines(policy: NetworkPolicy, pod: string, settleMs: number): readonly string[] | undefined {
  const { name, namespace, annotations = {} } = policy.metadata;
  const labels = parsedLabels(annotations[marks.snapshot]);
  const denies = namedDenies(annotations[marks.denies]);
  if (labels === undefined || denies === undefined || !isPlain(labels) || !isName(pod)) return undefined;
  const back = Object.entries(labels)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([key, value]) => `${key}=${value}`);
  const changed = (annotations[marks.changed] ?? "").split(" ").filter(isName);
  return [
    ...changed.map((other) => `kubectl edit networkpolicy ${other} -n ${namespace}`),
    ...(back.length === 0 ? [] : [`kubectl label pod ${pod} -n ${namespace} --overwrite ${back.join(" ")}`]),
    `sleep ${Math.ceil(settleMs / 1_000)}`,
    `kubectl label pod ${pod} -n ${namespace} ${marks.quarantine}-`,
    ...denies.toReversed().map((deny) => `kubectl delete ${deny} -n ${namespace}`),
    `kubectl delete networkpolicy ${name} -n ${namespace}`,
  ];
}

/** Label syntax: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
function isPlain(labels: Labels): boolean {
  return Object.entries(labels).every(
    ([key, value]) => /^[a-zA-Z0-9][-a-zA-Z0-9_./]*$/.test(key) && /^([a-zA-Z0-9][-a-zA-Z0-9_.]*)?$/.test(value),
  );
}

function isName(pod: string): boolean {
  return /^[a-z0-9][-a-z0-9.]*$/.test(pod);
}
