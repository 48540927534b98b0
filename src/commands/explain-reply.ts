import { formatDuration } from "../policy/duration.ts";
import type { Enforcement } from "../policy/plan.ts";
import type { Protocol } from "../simulator/model.ts";
import { list, note, text } from "./answers.ts";
import type { ExplainFacts } from "./explain-facts.ts";
import type { Pair, PairAnswer } from "./explain-pairs.ts";
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
  readonly enforcement: Enforcement;
  /** Named where there are several. */
  readonly cluster: string | undefined;
};

/** Yes or no, why in each direction, what was not evaluated or read, and what it goes by. */
export function explainReply(explained: Explained): Reply {
  const { verdict, facts, unread, cluster } = explained;
  const headline = headlineOf(explained);
  const known = knownBefore(facts.age);
  const sections = [
    ...(headline.length > longest ? [text(headline)] : []),
    ...(unread.length === 0 ? [] : [unreadSection(explained)]),
    ...(known === undefined ? [] : [text(known)]),
    ...whySections(explained),
    ...notEvaluated(explained),
    ...readingsSection(explained),
    list("What this goes by", groundsOf(explained)),
  ];
  const where = cluster === undefined ? [] : [`Cluster ${cluster}`];
  return {
    ...note(clipped(headline), sections),
    tone: verdict === "allowed" || verdict === "denied" ? "neutral" : "warning",
    footer: [...where, ...(known === undefined ? [freshness(facts)] : [])],
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

function unreadSection({ unread, byWhatWasRead }: Explained): Section {
  return list("Could not be read, so the answer may be wrong", [
    ...unread.map(({ what, why }) => `${what}: ${why}`),
    `By what was read it would be: ${inWords[byWhatWasRead]}.`,
  ]);
}

const inWords: Record<Whole, string> = {
  allowed: "yes",
  denied: "no",
  undecided: "undecided",
  differs: "yes for some pods, no for others",
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
    ...(left > 0 ? [text(`${left} more pairs of pods were not asked: name single pods.`)] : []),
  ];
}

function directionSection([verdict, ...why]: readonly string[]): Section {
  return list(verdict?.replace(/\.$/, ""), why);
}

function pairSection(question: Question, answer: PairAnswer): Section {
  const { egress, ingress } = wordsOf(question, answer);
  return list(`${capital(answer.answer.verdict)}: ${pairsInWords(answer.pairs)}`, [...egress, ...ingress]);
}

/** `a, b → c, d`: every pod of the first to every one of the second, where it is so; else pair by pair. */
function pairsInWords(pairs: readonly Pair[]): string {
  const [from, to] = [new Set(pairs.map((pair) => pair.from)), new Set(pairs.map((pair) => pair.to))];
  if (pairs.length === from.size * to.size) return `${some([...from])} → ${some([...to])}`;
  return some(pairs.map((pair) => `${pair.from} → ${pair.to}`));
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

function groundsOf({ from, to, facts, warnings, enforcement }: Explained): readonly string[] {
  const enforced = enforcementWords[enforcement];
  return [...new Set([from.words, to.words, facts.engine, ...warnings, ...(enforced === undefined ? [] : [enforced])])];
}

const enforcementWords: Record<Enforcement, string | undefined> = {
  enforced: undefined,
  "not-enforced": "The configuration says that nothing enforces policies in this cluster: then all of this is allowed.",
  unknown: "This is what the policies say: whether they are enforced in this cluster, the configuration does not say.",
};

function freshness({ age: { ageMs } }: ExplainFacts): string {
  if (ageMs === 0) return "Read just now.";
  return `Pods, Services and NetworkPolicies as confirmed ${formatDuration(ageMs)} ago; policies of other APIs read just now.`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
