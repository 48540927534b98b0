import type { Answer, DirectionAnswer, NotEvaluated, Reason, Verdict } from "../simulator/decide.ts";
import type { PolicyReference, Protocol } from "../simulator/model.ts";

/** What was asked, its ends as they are to be named. */
export type Question = {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  /** As it was asked: a Service's own. */
  readonly port: number;
  /** The pod's own port, where it is another. */
  readonly targetPort?: number;
};

/** An answer in sentences. Names come from outside: whoever shows them escapes. */
export type Explanation = {
  /** `Yes: payments/checkout can connect to db/postgres on TCP 5432.` */
  readonly headline: string;
  /** The source's egress and the destination's ingress; the first line says what comes of it, the others why. */
  readonly egress: readonly string[];
  readonly ingress: readonly string[];
  readonly notEvaluated: readonly string[];
};

/** Yes or no, per direction by which policy and rule or by which default, and what was not evaluated. */
export function explain(answer: Answer, question: Question): Explanation {
  const noted = [...answer.egress.notEvaluated, ...answer.ingress.notEvaluated].map(notEvaluatedWords);
  return {
    headline: headline(answer.verdict, question),
    egress: directionWords(answer.egress, `Out of ${question.from}`),
    ingress: directionWords(answer.ingress, `Into ${question.to}`),
    notEvaluated: [...new Set(noted)],
  };
}

function headline(verdict: Verdict, { from, to, protocol, port, targetPort = port }: Question): string {
  const where = `${to} on ${protocol} ${port}${targetPort === port ? "" : ` (the pod's port ${targetPort})`}`;
  switch (verdict) {
    case "allowed":
      return `Yes: ${from} can connect to ${where}.`;
    case "denied":
      return `No: ${from} cannot connect to ${where}.`;
    case "undecided":
      return `Undecided: whether ${from} can connect to ${where} depends on what is not evaluated.`;
  }
}

function directionWords(answer: DirectionAnswer, where: string): readonly string[] {
  return [`${where}: ${answer.verdict}.`, ...reasonLines(answer)];
}

/** Why a direction is as it is, a sentence each: `Allowed by NetworkPolicy db/postgres, ingress[0].` */
export function reasonLines({ verdict, because }: DirectionAnswer): readonly string[] {
  const sure = because.findIndex((reason) => maybeOf(reason) === undefined && !isPass(reason));
  const perhaps = because.findIndex((reason) => maybeOf(reason) !== undefined);
  const reasons = because.map((reason, i) => reasonWords(reason, i === sure && perhaps >= 0 && perhaps < i));
  // Nothing asks for more than is evaluated, and still it is open: policies of equal rank say different things.
  const tied = verdict === "undecided" && perhaps < 0;
  return [
    ...new Set(reasons),
    ...(tied ? ["These have the same priority, so which of them counts is not defined."] : []),
  ];
}

function reasonWords(reason: Reason, otherwise: boolean): string {
  const maybe = maybeOf(reason);
  const sentence = `${claim(reason)}${maybe === undefined ? "" : `: ${maybe}`}.`;
  if (maybe !== undefined) return `Perhaps ${sentence}`;
  return otherwise ? `Otherwise ${sentence}` : sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function claim(reason: Reason): string {
  switch (reason.kind) {
    case "rule":
      return ruleWords(reason);
    case "isolated": {
      const select = reason.policies.length === 1 ? "selects" : "select";
      return `denied by default, since ${listed(someOf(reason.policies.map(policyName)))} ${select} it and no rule allows this`;
    }
    case "no-policy":
      return "allowed by default, since no policy that selects it speaks of this";
    case "not-a-pod":
      return "allowed, since policies act on pods only, and it is none";
    case "itself":
      return "allowed, since a pod can always talk to itself";
    case "own-node":
      return "allowed, since a pod and the node that it runs on can always talk to each other";
  }
}

function ruleWords({ action, policy, rule }: Extract<Reason, { kind: "rule" }>): string {
  const by = `${policyName(policy)}, ${rule}`;
  if (action === "pass") return `passed on by ${by}`;
  return `${action === "allow" ? "allowed" : "denied"} by ${by}`;
}

function isPass(reason: Reason): boolean {
  return reason.kind === "rule" && reason.action === "pass";
}

/** Why a reason holds only perhaps. */
function maybeOf(reason: Reason): string | undefined {
  return reason.kind === "rule" || reason.kind === "isolated" ? reason.maybe : undefined;
}

/** `NetworkPolicy payments/allow-dns`. */
export function policyName({ kind, namespace, name }: PolicyReference): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

function notEvaluatedWords({ policy, what }: NotEvaluated): string {
  return `${policyName(policy)}: ${what}`;
}

/** So many policies that isolate are named; the rest are counted, so that the sentence keeps its end. */
const mostNamed = 5;

function someOf(names: readonly string[]): readonly string[] {
  const left = names.length - mostNamed;
  return left <= 1 ? names : [...names.slice(0, mostNamed), `${left} more policies`];
}

function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
