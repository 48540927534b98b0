import { decideAccess } from "../policy/access.ts";
import { mutingVerbs, placeOf } from "./flow-mute.ts";
import { explainText } from "./flow-press.ts";
import type { FlowServices } from "./flow-services.ts";
import { shelve } from "./flow-shelf.ts";
import { isWhollySeen } from "./flow-sight.ts";
import { type Fitting, narrowestTemplate, ttlWords } from "./flow-templates.ts";
import { becauseWords, type ToldLine } from "./flow-told.ts";
import { type FlowTelling, lineWords } from "./flow-words.ts";
import type { RowButton, Section } from "./reply.ts";
import type { Context } from "./services.ts";

/** A line with its buttons: Slack takes some 3 000 characters of text, and all of ten lines has to fit in. */
const longestLine = 500;

/** The line as a row. Its buttons are those that the person may press, and that could come to something. */
export async function rowOfLine(
  context: Context,
  flows: FlowServices,
  told: ToldLine,
  telling: FlowTelling,
): Promise<Section> {
  const words = lineWords(told.line, becauseWords(told, telling.nowMs), telling);
  const text = words.length <= longestLine ? words : `${words.slice(0, longestLine - 1).toWellFormed()}…`;
  const buttons = buttonsOf(context, told);
  if (buttons.length === 0) return { kind: "text", text };
  const subject = await shelve(flows, told.line.of);
  return { kind: "row", text: telling.draws ? `${text} [${subject}]` : text, subject, buttons };
}

function buttonsOf(context: Context, told: ToldLine): readonly RowButton[] {
  const { line, flows } = told;
  if (!isWhollySeen(line.of, flows.sees)) return [];
  const fitting = fittingTemplate(context, told);
  return [
    ...(explainText(line.of) === undefined ? [] : [{ action: "flow-explain" as const, label: "Explain" }]),
    ...(fitting === undefined || fitting === "none"
      ? []
      : [{ action: "flow-allow" as const, label: `Allow ${ttlWords(fitting).replace(/m$/, " min")}` }]),
    ...(mayMute(context, told) ? [{ action: "flow-mute" as const, label: "Mute" }] : []),
  ];
}

/**
 * What would open the way; `none` where it takes a template that there is not; undefined where opening it is no answer: nothing is
 * closed, what is closed is our own containment or a rule that outranks us, or the person may not.
 */
export function fittingTemplate(
  { services, request }: Context,
  { line, cause, flows }: ToldLine,
): Fitting | "none" | undefined {
  const { of } = line;
  const isOpenable = cause.kind === "default-deny" || cause.kind === "undecided" || cause.kind === "unknown";
  if (of.class !== "denied" || !isOpenable || !isWhollySeen(of, flows.sees)) return undefined;
  const namespaces = [of.from, of.to].flatMap((end) => (end.kind === "workload" ? [end.namespace] : []));
  const { access } = services.settings;
  const may = (namespace: string): boolean =>
    decideAccess(access, request.principal, "allow", { cluster: of.cluster, namespace }).allowed;
  if (namespaces.length === 0 || !namespaces.every(may)) return undefined;
  return narrowestTemplate(services.templates.all(), of) ?? "none";
}

function mayMute(context: Context, { line }: ToldLine): boolean {
  const { services, request } = context;
  const place = placeOf(context, line.of);
  return mutingVerbs.some((verb) => decideAccess(services.settings.access, request.principal, verb, place).allowed);
}
