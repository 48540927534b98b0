import { formatDuration } from "../policy/duration.ts";
import type { DenyEngine } from "../policy/engine.ts";
import type { Protocol } from "../simulator/model.ts";
import { list, note, text } from "./answers.ts";
import { pluginWords, stateOf } from "./detection.ts";
import type { ExplainFacts } from "./explain-facts.ts";
import type { Block, PairAnswer } from "./explain-pairs.ts";
import type { Side } from "./explain-sides.ts";
import type { Weighed, Whole } from "./explain-verdict.ts";
import { explain, policyName } from "./explain-words.ts";
import type { Reply, Section } from "./reply.ts";
import { knownBefore } from "./unanswered.ts";

type Explained = Weighed & {
  readonly facts: ExplainFacts;
  readonly from: Side;
  readonly to: Side;
  readonly protocol: Protocol;
  /** As asked: a Service's own where it is one. */
  readonly port: number;
  /** Named where there are several. */
  readonly cluster: string | undefined;
};

/** Yes or no, why in each direction, what was not evaluated or read, and what it goes by. */
export function explainReply(explained: Explained): Reply {
  const { verdict, facts, cluster } = explained;
  const headline = headlineOf(explained);
  const sections = [
    ...(headline.length > longest ? [text(headline)] : []),
    ...unreadSection(explained),
    ...whySections(explained),
    ...notEvaluated(explained),
    ...readingsSection(explained),
    list("What this goes by", groundsOf(explained)),
  ];
  const where = cluster === undefined ? [] : [`Cluster ${cluster}`];
  return {
    ...note(clipped(headline), sections),
    tone: verdict === "allowed" || verdict === "denied" ? "neutral" : "warning",
    footer: [...where, ...(facts.age.unanswered === undefined ? [freshness(facts)] : [])],
  };
}

const longest = 150;

function clipped(headline: string): string {
  return headline.length <= longest ? headline : `${headline.slice(0, longest - 1)}…`;
}

function headlineOf({ verdict, from, to, protocol, port, answers, unread, facts }: Explained): string {
  const question = `whether ${from.label} can connect to ${to.label} on ${protocol} ${port}`;
  const [first] = answers;
  if (verdict === "differs" || first === undefined) return `It depends on the pods ${question}.`;
  if (verdict === "undecided" && (unread.length > 0 || facts.age.unanswered !== undefined))
    return `Undecided: not all was read that may decide ${question}.`;
  return wordsOf({ from: from.label, to: to.label, protocol, port }, first, verdict).headline;
}

type Question = Parameters<typeof explain>[1];

function wordsOf(question: Question, { answer, port: targetPort }: PairAnswer, verdict = answer.verdict) {
  return explain({ ...answer, verdict }, { ...question, targetPort });
}

function unreadSection({ unread, byWhatWasRead, facts }: Explained): readonly Section[] {
  const known = knownBefore(facts.age);
  const lines = [...unread.map(({ what, why }) => `${what}: ${why}`), ...(known === undefined ? [] : [known])];
  if (lines.length === 0) return [];
  const rest = `By what was read it would be: ${inWords[byWhatWasRead]}.`;
  return [list("Could not be read, so the answer may be wrong", [...lines, rest])];
}

const inWords: Record<Whole, string> = {
  allowed: "yes",
  denied: "no",
  undecided: "undecided",
  differs: "not the same for all pods",
};

/** So many different answers are told in full. */
const mostAnswers = 6;

function whySections({ answers, from, to, protocol, port, left }: Explained): readonly Section[] {
  const [only, ...others] = answers;
  const question = { from: from.label, to: to.label, protocol, port };
  if (only !== undefined && others.length === 0 && left === 0) {
    const { egress, ingress } = wordsOf(question, only);
    return [directionSection(egress), directionSection(ingress)];
  }
  const untold = answers.length - mostAnswers;
  return [
    ...answers.slice(0, mostAnswers).map((each) => pairSection(question, each)),
    ...(untold > 0 ? [text(`${untold} more kinds of pairs have answers of their own: name single pods.`)] : []),
    ...(left > 0 ? [text(`${left} more kinds of pairs of pods were not asked: name single pods.`)] : []),
  ];
}

function directionSection([verdict, ...why]: readonly string[]): Section {
  return list(verdict?.replace(/\.$/, ""), why);
}

function pairSection(question: Question, answer: PairAnswer): Section {
  const { egress, ingress } = wordsOf(question, answer);
  return list(`${capital(answer.answer.verdict)}: ${blocksInWords(answer.blocks)}`, [...egress, ...ingress]);
}

/** `a, b → c, d; e → f`: blocks with the same sources are told together. */
function blocksInWords(blocks: readonly Block[]): string {
  const bySources = Map.groupBy(blocks, ({ from }) => from.join());
  const told = [...bySources.values()].map((same) => ({ from: same[0]?.from ?? [], to: same.flatMap(({ to }) => to) }));
  const shown = told.slice(0, 5).map(({ from, to }) => `${some(from)} → ${some(to)}`);
  return `${shown.join("; ")}${told.length > 5 ? ` and ${told.length - 5} more` : ""}`;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function notEvaluated(explained: Explained): readonly Section[] {
  const { answers, from, to, protocol, port, problems } = explained;
  const question = { from: from.label, to: to.label, protocol, port };
  const noted = new Set(answers.flatMap((each) => wordsOf(question, each).notEvaluated));
  const wrong = problems.map(
    ({ object, problems: all }) =>
      `${policyName(object)}: ${all.map(({ field, message }) => `${field}: ${message}`).join("; ")}`,
  );
  return [
    ...(noted.size === 0 ? [] : [list("Not evaluated", [...noted])]),
    ...(wrong.length === 0 ? [] : [list("Policies that are not understood, so that they might do anything", wrong)]),
  ];
}

function readingsSection({ readings }: Explained): readonly Section[] {
  if (readings === undefined) return [];
  return [
    list("Engines differ on whether ipBlock matches the addresses of pods", [
      `Where it does: ${inWords[readings.matching]}.`,
      `Where it does not: ${inWords[readings.not]}.`,
    ]),
  ];
}

function groundsOf({ from, to, facts, warnings }: Explained): readonly string[] {
  return [
    ...new Set([
      from.words,
      to.words,
      pluginWords(facts.detection),
      ...upperTiers(facts),
      ...warnings,
      ...enforcementWords(facts),
    ]),
  ];
}

const upperKinds: readonly (readonly [kind: string, engine: DenyEngine])[] = [
  ["AdminNetworkPolicy", "admin-network-policy"],
  ["BaselineAdminNetworkPolicy", "admin-network-policy"],
  ["ClusterNetworkPolicy", "cluster-network-policy"],
];

/** Their definitions can be there without any engine that heeds them (facts: network-policy §2.1, §2.2). */
function upperTiers({ snapshot, detection }: ExplainFacts): readonly string[] {
  const own = snapshot.policies.filter(({ apiVersion }) => apiVersion.startsWith("policy.networking.k8s.io/"));
  return upperKinds.flatMap(([kind, engine]) => {
    const { state, because } = stateOf(detection, engine);
    if (state === "enforced" || !own.some((each) => each.kind === kind)) return [];
    const known =
      state === "unknown" ? `Whether ${kind} is enforced here is not known` : `${kind} is not enforced here`;
    return [`${known}, so that what it decides counts as undecided. ${because}`];
  });
}

function enforcementWords({ detection }: ExplainFacts): readonly string[] {
  const { state, because } = stateOf(detection, "networkpolicy");
  if (state === "enforced") return [];
  return state === "unknown"
    ? [`This is what the policies say: whether they are enforced in this cluster is not known. ${because}`]
    : [`NetworkPolicy is not enforced in this cluster, so that what it denies is allowed. ${because}`];
}

function freshness({ age: { ageMs }, unread }: ExplainFacts): string {
  const isAll = unread.length === 0;
  if (ageMs === 0) return isAll ? "Read just now." : "What could be read was read just now.";
  const own = `Pods, Services and NetworkPolicies as confirmed ${formatDuration(ageMs)} ago`;
  return isAll ? `${own}; policies of other APIs read just now.` : `${own}; what could be read of other APIs just now.`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
