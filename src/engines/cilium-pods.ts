import type { Endpoint } from "../policy/endpoint.ts";
import { anyPod, inEveryCluster, podTerm } from "./cilium-labels.ts";
import { type Opening, prefixes } from "./cilium-openings.ts";
import { toPorts } from "./cilium-ports.ts";
import { portGroups } from "./port-ranges.ts";
import { both, excluding, smallest, type Term } from "./terms.ts";

/** More selectors than this nobody could read, and each of them costs the agent. */
const mostTerms = 200;

type Place = { readonly namespace: string; readonly direction: Endpoint["direction"] };
type PodRules = { readonly rules: readonly object[]; readonly notes: readonly string[] };
type PodOpening = Opening & { readonly term: Term };

/**
 * Denies all pods that are in no opening, and those that are in one on the ports that are not open for them, so that no
 * allow of another policy opens more of them.
 */
export function podRules(given: readonly Opening[], { namespace, direction }: Place): PodRules {
  const all = given.map((opening) => ({ ...opening, term: podTerm(opening.endpoint.peer, namespace) }));
  const openings = all.reduce<readonly PodOpening[]>(
    (kept, each) => (outsideOf([...kept, each]).length > mostTerms ? kept : [...kept, each]),
    [],
  );
  const list = `${prefixes[direction]}Endpoints`;
  const rule = (terms: readonly Term[], more: object): readonly object[] =>
    terms.length === 0 ? [] : [{ [list]: terms.flatMap(inEveryCluster), ...more }];
  const partly = portGroups(openings).flatMap(({ open, ports }) =>
    rule(closedPods(openings, open), { toPorts: toPorts(ports) }),
  );
  return {
    rules: [...rule(outsideOf(openings), {}), ...partly],
    notes: all
      .filter((each) => !openings.includes(each))
      .map(({ endpoint: { name } }) => `Endpoint ${name} stays denied: Cilium's policy would grow too large with it.`),
  };
}

function outsideOf(openings: readonly PodOpening[]): readonly Term[] {
  return openings.reduce<readonly Term[]>((terms, { term }) => excluding(terms, term), [anyPod]);
}

/** Pods of openings that are closed on some ports, but for those that another one opens there. */
function closedPods(openings: readonly PodOpening[], open: readonly PodOpening[]): readonly Term[] {
  const closed = openings.filter((each) => !open.includes(each)).map(({ term }) => both(anyPod, term));
  const terms = closed.filter((term) => term !== undefined);
  return smallest(open.reduce<readonly Term[]>((rest, { term }) => excluding(rest, term), terms));
}
