import { createHash } from "node:crypto";
import { decideAccess } from "../policy/access.ts";
import type { Pod } from "../policy/objects.ts";
import type { Principal } from "../policy/principal.ts";
import { isNamespaceName } from "../policy/target.ts";
import type { Command } from "./command.ts";
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

/** Who sent a form; undefined where nobody vouches for that. */
export type Sender = () => Promise<Principal | undefined>;

/** The fields that can be wrong, by what is wrong with each. */
export type FormProblems = Partial<Record<"namespace" | "pod" | "review" | "reason", string>>;

/** Whether the text asks for the form: `quarantine` and nothing else. */
export function asksForForm(text: string): boolean {
  const [verb = "", ...words] = wordsOf(normalise(text));
  return verb.toLowerCase() === "quarantine" && words.length === 0;
}

/**
 * The form as the text that one could have typed instead, so that there is one way into a quarantine; or what is wrong,
 * field by field. Looks a pod up only where its value is shortened, and only then asks who sent it: who may not
 * quarantine there gets the answer of a pod that is not there. Throws where the cluster cannot be asked then.
 */
export async function formText(services: Services, form: QuarantineForm, who: Sender): Promise<string | FormProblems> {
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
    return { reason: "Begin the reason with another word: as it stands it reads as a part of the command." };
  }
  return undefined;
}

function fieldOf(problem: string): keyof FormProblems {
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

/** Slack takes no longer value of an option (facts: 75, some sources say 150). */
const longestValue = 75;
/** Occurs in no name. */
const mark = "~";

/** What stands for a pod in an option: its name, or where that is too long its beginning and a digest of its uid. */
export function podValue({ name, uid }: Pick<Pod, "name" | "uid">): string {
  if (name.length <= longestValue) return name;
  return `${name.slice(0, 40)}${mark}${createHash("sha256").update(uid).digest("hex").slice(0, 24)}`;
}

function isShortened(value: string): boolean {
  return value.includes(mark);
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
