import { didYouMean } from "../policy/suggest.ts";
import { type Asking, ask } from "../simulator/ask.ts";
import type { Simulator } from "../simulator/compile.ts";
import type { Verdict } from "../simulator/decide.ts";
import type { Protocol } from "../simulator/model.ts";
import { portSamples } from "../simulator/port-samples.ts";
import { areOutside, bothOutside, type Destination, type Source, type Unresolved } from "../simulator/resolution.ts";
import { resolveDestination, resolveSource } from "../simulator/resolve.ts";
import type { WorkloadName } from "../simulator/snapshot.ts";
import { workloadName } from "./connection-rows.ts";
import type { Expectation } from "./expectations.ts";
import { endpointName } from "./explain-report.ts";
import { explain } from "./explain-words.ts";

/** Something that is not as expected, with the reasons in words. */
export type Difference = {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly is: Verdict | "mixed";
  readonly why: readonly string[];
};

export type Checked = {
  readonly expectation: Expectation;
  /** How many questions it came to. */
  readonly asked: number;
  /** The first ones. */
  readonly differences: readonly Difference[];
  /** How many there are beside those. */
  readonly more: number;
};

/** Every workload to every other on every port is millions: so many of one expectation are told, the rest are counted. */
const mostTold = 1_000;

/**
 * Each expectation held against a cluster; or what is wrong with their names, a line each. Undecided is a difference, and
 * so is what holds for some of the pods or addresses only.
 */
export function check(
  simulator: Simulator,
  expectations: readonly Expectation[],
  path: string,
): readonly Checked[] | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const checked = expectations.map((expectation, i) => {
    const told = (field: string, problem: string) =>
      problems.push(`${path}:${expectation.line}: expect[${i}].${field}: ${problem}`);
    return checkOne(simulator, expectation, told);
  });
  return problems.length > 0 ? { problems: [...new Set(problems)] } : checked;
}

/** Says what is wrong with a name. */
type Tell = (field: "from" | "to", problem: string) => void;

function checkOne(simulator: Simulator, expectation: Expectation, tell: Tell): Checked {
  const differences: Difference[] = [];
  let [asked, more] = [0, 0];
  for (const { from, to, protocol, port } of pairsOf(simulator, expectation, tell)) {
    asked += 1;
    const asking = ask(simulator, from, to, protocol);
    if (asking.verdict === expectation.is) continue;
    const names = { from: from.name, to: to.name, protocol, port };
    if (differences.length === mostTold) more += 1;
    else differences.push({ ...names, is: asking.verdict, why: [...to.notes, ...whyNot(asking, expectation, names)] });
  }
  return { expectation, asked, differences, more };
}

/** Each source with each question. Tells where that is nothing, since all ends are outside. */
function* pairsOf(
  simulator: Simulator,
  expectation: Expectation,
  tell: Tell,
): Generator<Question & { readonly from: Source }> {
  const [sources, destinations] = [
    expand(simulator, expectation, "from", tell),
    expand(simulator, expectation, "to", tell),
  ];
  const several = sources.length > 1 || destinations.length > 1;
  const questions = arrivals(simulator, destinations, expectation, tell);
  let [inside, outside] = [0, 0];
  for (const text of sources) {
    const from = found(resolveSource(simulator, text), (problem) => tell("from", problem));
    for (const question of from === undefined ? [] : questions) {
      // What a wildcard puts on both sides is not meant: a workload can be asked about itself by its name.
      if (from === undefined || (several && from.name === question.to.name)) continue;
      if (areOutside(from, question.to)) {
        outside += 1;
        continue;
      }
      inside += 1;
      yield { ...question, from };
    }
  }
  if (inside === 0 && outside > 0) tell("to", bothOutside);
}

type Question = { readonly to: Destination; readonly protocol: Protocol; readonly port: number };

function arrivals(
  simulator: Simulator,
  names: readonly string[],
  { ports, protocols }: Expectation,
  tell: Tell,
): readonly Question[] {
  const problem = (text: string): void => tell("to", text);
  return names.flatMap((name) =>
    protocols.flatMap((protocol): readonly Question[] => {
      if (ports !== "any") {
        return ports.flatMap((port) => {
          const to = found(resolveDestination(simulator, name, { protocol, port }), problem);
          return to === undefined ? [] : [{ to, protocol, port }];
        });
      }
      const to = found(resolveSource(simulator, name), problem);
      if (to === undefined) return [];
      return portSamples(simulator, protocol).map((port) => {
        const endpoints = to.endpoints.map((endpoint) => ({ endpoint, port }));
        return { to: { ...to, endpoints }, protocol, port };
      });
    }),
  );
}

/** Wildcards become workloads; what is left out goes. Tells of names that come to nothing: they would test nothing. */
function expand(simulator: Simulator, expectation: Expectation, field: "from" | "to", tell: Tell): readonly string[] {
  const names = expectation[field];
  const leftOut = names
    .filter((name) => name.startsWith("!"))
    .flatMap((name) => {
      const all = matching(simulator, name.slice(1));
      if (all !== undefined) return all.map(workloadName);
      return found(resolveSource(simulator, name.slice(1)), (problem) => tell(field, problem))?.name ?? [];
    });
  const expanded = names
    .filter((name) => !name.startsWith("!"))
    .flatMap((name) => {
      const all = matching(simulator, name);
      if (all === undefined) return [name];
      const kept = all.filter((workload) => !leftOut.includes(workloadName(workload)));
      return kept.map((workload) => `${workload.namespace}/${workload.kind}/${workload.name}`);
    });
  if (expanded.length === 0) tell(field, `${names.join(", ")} comes to no workload at all.`);
  return expanded;
}

/** The workloads of `namespace/*` or of `*` in any namespace; undefined for a name that is no wildcard. */
function matching({ snapshot }: Simulator, pattern: string): readonly WorkloadName[] | undefined {
  const [namespace, name, ...more] = pattern.split("/");
  if (name !== "*" || more.length > 0) return undefined;
  const all = new Map(snapshot.pods.map(({ workload }) => [workloadName(workload), workload]));
  return [...all.values()].filter((each) => namespace === "*" || each.namespace === namespace);
}

function found<Found extends Source | Destination>(
  resolved: Found | Unresolved,
  tell: (problem: string) => void,
): Found | undefined {
  if (!("problem" in resolved)) return resolved;
  tell(`${resolved.problem}${didYouMean(resolved.typed, resolved.known)}`);
  return undefined;
}

/** The reasons of the first case that is not as expected; where a no was expected, of both directions. */
function whyNot(
  { cases, verdict }: Asking,
  { is }: Expectation,
  names: Pick<Difference, "from" | "to" | "protocol" | "port">,
): readonly string[] {
  const wrong = cases.find(({ answer }) => answer.verdict !== is);
  if (wrong === undefined) return [];
  const { egress, ingress } = explain(wrong.answer, { ...names, targetPort: wrong.to.port });
  const { answer } = wrong;
  return [
    ...(verdict === "mixed" ? [`${endpointName(wrong.from)} → ${endpointName(wrong.to.endpoint)}, for one:`] : []),
    ...(is === "denied" || answer.egress.verdict !== "allowed" ? indented(egress) : []),
    ...(is === "denied" || answer.ingress.verdict !== "allowed" ? indented(ingress) : []),
  ];
}

/** A direction's verdict, and its reasons below it. */
function indented([verdict = "", ...reasons]: readonly string[]): readonly string[] {
  return [verdict, ...reasons.map((reason) => `  ${reason}`)];
}
