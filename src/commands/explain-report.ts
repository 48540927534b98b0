import { didYouMean } from "../policy/suggest.ts";
import { type Asking, ask, type Case } from "../simulator/ask.ts";
import type { Simulator } from "../simulator/compile.ts";
import type { Endpoint } from "../simulator/decide.ts";
import { type Asked, areOutside, bothOutside, type Destination, type Source } from "../simulator/resolution.ts";
import { resolveDestination, resolveSource } from "../simulator/resolve.ts";
import { type Explanation, explain } from "./explain-words.ts";

/** The names as typed, and the port: a Service's own where the destination is a Service. */
export type Query = Asked & { readonly from: string; readonly to: string };

/** What was found out, in full; `mixed` where it depends on which of several pods or addresses. */
export type Report = {
  readonly from: string;
  readonly to: string;
  readonly asking: Asking;
  /** The whole in one sentence. */
  readonly headline: string;
  /** One for each case; more than one where pods or addresses are treated differently. */
  readonly explanations: readonly Explanation[];
  readonly notes: readonly string[];
};

/** Whether one thing can connect to another, and why; or why one of the names stands for nothing. */
export function reportOn(simulator: Simulator, query: Query): Report | { readonly problem: string } {
  const from = resolveSource(simulator, query.from);
  if ("problem" in from) return { problem: `${from.problem}${didYouMean(from.typed, from.known)}` };
  const to = resolveDestination(simulator, query.to, query);
  if ("problem" in to) return { problem: `${to.problem}${didYouMean(to.typed, to.known)}` };
  if (areOutside(from, to)) return { problem: bothOutside };
  const asking = ask(simulator, from, to, query.protocol);
  const explanations = asking.cases.map((each) => explainCase(each, asking.cases.length === 1, { from, to }, query));
  const [first] = explanations;
  const mixed = `It depends: ${from.name} can connect to ${to.name} on ${query.protocol} ${query.port} in some cases only.`;
  return {
    from: from.name,
    to: to.name,
    asking,
    headline: asking.verdict === "mixed" || first === undefined ? mixed : first.headline,
    explanations,
    notes: [...from.notes, ...to.notes],
  };
}

type Ends = { readonly from: Source; readonly to: Destination };

function explainCase(found: Case, alone: boolean, { from, to }: Ends, query: Query): Explanation {
  return explain(found.answer, {
    from: alone || from.endpoints.length === 1 ? from.name : endpointName(found.from),
    to: alone || to.endpoints.length === 1 ? to.name : endpointName(found.to.endpoint),
    protocol: query.protocol,
    port: query.port,
    targetPort: found.to.port,
  });
}

/** `pod db/postgres-0`, `db/postgres[StatefulSet]` for a template, an address. */
export function endpointName(end: Endpoint): string {
  if (end.kind === "external") return end.address;
  if (end.kind === "node") return `node ${end.name ?? "of an unknown name"}`;
  const { namespace, name, workload } = end.pod;
  return name === undefined ? `${namespace}/${workload.name}[${workload.kind}]` : `pod ${namespace}/${name}`;
}

/** The report as text, a paragraph a direction. */
export function reportText({ headline, explanations, notes }: Report): string {
  const several = explanations.length > 1;
  const paragraphs = explanations.flatMap((each) => [
    ...(several ? [[each.headline]] : []),
    ...[each.egress, each.ingress].map(([first = "", ...why]) => [first, ...why.map((line) => `  ${line}`)]),
    ...(each.notEvaluated.length === 0 ? [] : [["Not evaluated:", ...each.notEvaluated.map((line) => `  ${line}`)]]),
  ]);
  return [[headline], ...(notes.length === 0 ? [] : [notes]), ...paragraphs]
    .map((paragraph) => `${paragraph.join("\n")}\n`)
    .join("\n");
}

/** The same for programs: the verdict, and each case with its reasons as data and in words. */
export function reportJson({ from, to, asking, headline, explanations, notes }: Report, query: Query): string {
  const cases = asking.cases.map((each, i) => ({
    from: endpointName(each.from),
    to: endpointName(each.to.endpoint),
    port: each.to.port,
    pairs: each.pairs,
    verdict: each.answer.verdict,
    egress: { ...each.answer.egress, words: explanations[i]?.egress },
    ingress: { ...each.answer.ingress, words: explanations[i]?.ingress },
  }));
  const { protocol, port } = query;
  return `${JSON.stringify({ from, to, protocol, port, verdict: asking.verdict, headline, notes, cases })}\n`;
}
