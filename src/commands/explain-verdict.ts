import type { Unread } from "../kubernetes/policy-objects.ts";
import { compile, type Simulator } from "../simulator/compile.ts";
import type { Verdict } from "../simulator/decide.ts";
import type { Protocol } from "../simulator/model.ts";
import type { Settings } from "../simulator/snapshot.ts";
import { judgedBy } from "./detection.ts";
import { type ExplainFacts, notSimulated, within } from "./explain-facts.ts";
import { type Answered, decidePairs } from "./explain-pairs.ts";
import type { Side } from "./explain-sides.ts";

/** Of all pairs of pods together; `differs`: not of all of them the same. */
export type Whole = Verdict | "differs";

export type Weighed = Answered & {
  /** What may be claimed: undecided where something was not read or not asked. */
  readonly verdict: Whole;
  /** What follows from all that was read. */
  readonly byWhatWasRead: Whole;
  readonly unread: readonly Unread[];
  /** Where it depends on it: what follows if ipBlock matches the addresses of pods, and if not. */
  readonly readings: { readonly matching: Whole; readonly not: Whole } | undefined;
  readonly problems: Simulator["problems"];
  readonly warnings: Simulator["warnings"];
};

type Asked = { readonly from: Side; readonly to: Side; readonly protocol: Protocol };

/** Every pod of one side to every pod of the other, by all policies that bear on them. */
export function weigh(facts: ExplainFacts, asked: Asked): Weighed {
  const snapshot = within(facts.snapshot, namespacesOf(asked));
  const settings = judgedBy(facts.detection);
  const answered = (ipBlockMatchesPods: Settings["ipBlockMatchesPods"]) => {
    const simulator = compile(snapshot, { ...settings, ipBlockMatchesPods });
    return { simulator, found: decidePairs(simulator, asked) };
  };
  const { simulator, found } = answered(settings.ipBlockMatchesPods);
  const byWhatWasRead = wholeOf(found);
  const unread = [...facts.unread, ...notSimulated(snapshot)];
  const sure = unread.length === 0 && facts.age.unanswered === undefined && found.left === 0;
  const open = settings.ipBlockMatchesPods === "unknown" && byWhatWasRead !== "allowed" && byWhatWasRead !== "denied";
  const readings = open ? { matching: wholeOf(answered(true).found), not: wholeOf(answered(false).found) } : undefined;
  return {
    ...found,
    verdict: sure ? byWhatWasRead : "undecided",
    byWhatWasRead,
    unread,
    readings: readings?.matching === readings?.not ? undefined : readings,
    problems: simulator.problems,
    warnings: simulator.warnings,
  };
}

function namespacesOf({ from, to }: Asked): ReadonlySet<string> {
  const ends = [...from.members, ...to.members];
  return new Set(ends.flatMap(({ endpoint }) => (endpoint.kind === "pod" ? [endpoint.pod.namespace] : [])));
}

function wholeOf({ answers }: Answered): Whole {
  const [verdict, ...others] = new Set(answers.map(({ answer }) => answer.verdict));
  return verdict === undefined || others.length > 0 ? "differs" : verdict;
}
