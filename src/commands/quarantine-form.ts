import { decideAccess } from "../policy/access.ts";
import type { Pod } from "../policy/objects.ts";
import { isNamespaceName } from "../policy/target.ts";
import type { Command } from "./command.ts";
import {
  anotherWord,
  dryRun,
  dryRunField,
  type Form,
  type FormField,
  type FormFields,
  type FormProblems,
  isShortened,
  optionValue,
  type Sender,
} from "./form.ts";
import { parse } from "./parse.ts";
import type { Services } from "./services.ts";
import { normalise, wordsOf } from "./words.ts";

/** What was filled in where a quarantine was asked for without saying of what. Nothing in it was looked up yet. */
export type QuarantineForm = {
  /** Undefined where only one is configured. */
  readonly cluster: string | undefined;
  readonly namespace: string;
  /** A name, or the value of an option that `suggest` offered. */
  readonly pod: string;
  /** Such as `2h`; empty for none. */
  readonly review: string;
  readonly reason: string;
  readonly dryRun: boolean;
};

/** Whether the text asks for the form: `quarantine` and nothing else. */
export function asksForForm(text: string): boolean {
  const [verb = "", ...words] = wordsOf(normalise(text));
  return verb.toLowerCase() === "quarantine" && words.length === 0;
}

/** The form: it names nothing, since it opens before anybody was asked who it is. */
export function quarantineForm(askCluster: boolean): Form {
  const search = (name: string, label: string, placeholder: string): FormField => {
    return { kind: "search", name, label, placeholder };
  };
  return {
    kind: "quarantine",
    title: "Quarantine a pod",
    fields: [
      ...(askCluster ? [search("cluster", "Cluster", "Type a part of its name")] : []),
      search("namespace", "Namespace", "Those where you may quarantine"),
      search("pod", "Pod", "Choose the namespace first, then type a part of the pod's name"),
      {
        kind: "words",
        name: "review",
        label: "Ask again after",
        optional: true,
        placeholder: "2h",
        length: 20,
        multiline: false,
      },
      {
        kind: "words",
        name: "reason",
        label: "Reason",
        optional: true,
        placeholder: "What was seen",
        length: 500,
        multiline: true,
      },
      dryRunField,
    ],
  };
}

/** What was filled in, field by field. */
export function readQuarantine(fields: FormFields): QuarantineForm {
  const { cluster = "", namespace = "", pod = "", review = "", reason = "", run } = fields;
  return { cluster: cluster === "" ? undefined : cluster, namespace, pod, review, reason, dryRun: run === dryRun };
}

/**
 * The form as the text that one could have typed instead, so that there is one way into a quarantine; or what is wrong,
 * field by field. Looks a pod up only where its value is shortened, and only then asks who sent it: who may not
 * quarantine there gets the answer of a pod that is not there. Throws where the cluster cannot be asked then.
 */
export async function quarantineText(
  services: Services,
  form: QuarantineForm,
  who: Sender,
): Promise<string | FormProblems> {
  if (!isNamespaceName(form.namespace)) return { namespace: "Choose a namespace of the list." };
  const pod = isShortened(form.pod) ? await nameOf(services, form, who) : form.pod;
  if (pod === undefined) return { pod: "This pod is not there any more, or is in another namespace. Search again." };
  const cluster = form.cluster === undefined ? "" : `${form.cluster}:`;
  const reason = normalise(form.reason.replaceAll(/\s+/g, " ")).replaceAll('"', "'");
  const review = normalise(form.review);
  const words = [
    "quarantine",
    ...(form.dryRun ? ["--dry-run"] : []),
    `${cluster}${form.namespace}/${pod}`,
    ...(review === "" ? [] : ["review", `"${review.replaceAll('"', "")}"`]),
    ...(reason === "" ? [] : [`"${reason}"`]),
  ];
  const text = words.join(" ");
  return problems(parse(text), { ...form, pod, reason, review }) ?? text;
}

/** Whatever was filled in must mean when typed what it meant in its field. */
function problems(parsed: ReturnType<typeof parse>, form: QuarantineForm): FormProblems | undefined {
  if (parsed.kind === "usage") return { [fieldOf(parsed.problem)]: parsed.problem };
  if (parsed.kind !== "quarantine" || !isSame(parsed, form)) {
    return { reason: anotherWord };
  }
  return undefined;
}

function fieldOf(problem: string): "review" | "pod" | "reason" {
  if (problem.startsWith("review")) return "review";
  return problem.includes("form namespace/pod") ? "pod" : "reason";
}

function isSame(command: Extract<Command, { kind: "quarantine" }>, form: QuarantineForm): boolean {
  return (
    command.cluster === form.cluster &&
    command.namespace === form.namespace &&
    command.pod === form.pod &&
    command.reason === form.reason &&
    command.dryRun === form.dryRun &&
    (command.reviewMs !== undefined) === (form.review !== "")
  );
}

/** What stands for a pod in an option; one that came again under the same name is another pod. */
export function podValue({ name, uid }: Pick<Pod, "name" | "uid">): string {
  return optionValue(name, uid);
}

/** Undefined where there is no such pod, and where the sender may not quarantine it: nothing is looked up then. */
async function nameOf(services: Services, form: QuarantineForm, who: Sender): Promise<string | undefined> {
  const { namespace, pod } = form;
  const [first, ...others] = services.clusters.keys();
  const cluster = form.cluster ?? (others.length === 0 ? first : undefined);
  const entry = services.clusters.get(cluster ?? "");
  const sender = await who();
  if (entry === undefined || sender === undefined) return undefined;
  const { access } = services.settings;
  if (!decideAccess(access, sender, "quarantine", { cluster, namespace }).allowed) return undefined;
  const { pods } = await entry.cluster.facts(namespace, "cache");
  return pods.find((one) => podValue(one) === pod)?.name;
}
