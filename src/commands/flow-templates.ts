import type { FlowKey } from "../flows/flow-key.ts";
import type { Place } from "../flows/place.ts";
import { bindTemplate } from "../policy/bind-template.ts";
import { formatDuration } from "../policy/duration.ts";
import type { Labels } from "../policy/objects.ts";
import { workloadKinds } from "../policy/objects.ts";
import { mayUseHere, type Template, type TemplateEnd, type TemplateOpening, type Written } from "../policy/template.ts";
import { placeWords } from "./flow-words.ts";

/** How a template opens the way of a flow. */
export type Fitting = { readonly template: Template; readonly values: Labels; readonly ttlMs: number };

/** As long as a button opens for, where the template lets it, milliseconds. */
const buttonTtlMs = 30 * 60_000;

/** The template that opens the least beside that way; undefined where none fits. Never one that may open to anything. */
export function narrowestTemplate(templates: readonly Template[], key: FlowKey): Fitting | undefined {
  const fitting = templates.flatMap((template) => fitsOf(template, key));
  const [first] = fitting.toSorted((a, b) => a.width - b.width || (a.template.name < b.template.name ? -1 : 1));
  return first;
}

/** What a template would have to open for the flow, for people. */
export function neededWords({ from, to, protocol, port }: FlowKey): string {
  return `${placeWords(from, undefined)} to ${placeWords(to, undefined)} on ${protocol} ${port ?? "all ports"}`;
}

/** `30m`, or less where the template's own bound is less. */
export function ttlWords({ ttlMs }: Fitting): string {
  return formatDuration(ttlMs);
}

type Ranked = Fitting & { readonly width: number };

function fitsOf(template: Template, key: FlowKey): readonly Ranked[] {
  if (template.wide || typeof key.port !== "number") return [];
  const namespaces = [key.from, key.to].flatMap((end) => (end.kind === "workload" ? [end.namespace] : []));
  if (!namespaces.every((namespace) => mayUseHere(template, { cluster: key.cluster, namespace }))) return [];
  const ttlMs = Math.min(buttonTtlMs, template.ttl.maxMs);
  return template.opens.flatMap((opening) => {
    const found = valuesOf(opening, key);
    if (found === undefined || "refusals" in bindTemplate(template, found.values)) return [];
    return [{ template, values: found.values, ttlMs, width: found.width + template.opens.length - 1 }];
  });
}

type Found = { readonly values: Labels; readonly width: number };

function valuesOf({ from, to, ports }: TemplateOpening, key: FlowKey): Found | undefined {
  const parts = [endValues(from, key.from, key), endValues(to, key.to, key), portValues(ports, key)];
  const values: Record<string, string> = {};
  let width = 0;
  for (const part of parts) {
    if (part === undefined) return undefined;
    width += part.width;
    for (const [name, value] of Object.entries(part.values)) {
      if (Object.hasOwn(values, name) && values[name] !== value) return undefined;
      values[name] = value;
    }
  }
  return { values, width };
}

/** A workload is narrower than a namespace; how wide a block is, is the flow's own. */
function endValues(end: TemplateEnd, place: Place, { port }: FlowKey): Found | undefined {
  if (end.kind === "workload" && place.kind === "workload") return named(end.workload, workloadValue(place), 0);
  if (end.kind === "namespace" && place.kind === "workload") {
    // Whether its pods have those labels shows when the plan is drawn.
    return named(end.namespace, place.namespace, end.pods === undefined ? 4 : 2);
  }
  if (end.kind === "block" && place.kind === "range") return named(end.cidr, place.cidr, 0);
  if (end.kind === "dns" && place.kind === "workload") return isDns(place, port) ? { values: {}, width: 0 } : undefined;
  return undefined;
}

/** Where the cluster's DNS is shows when the plan is drawn: a way to anything else is refused then. */
function isDns({ namespace, name }: Extract<Place, { kind: "workload" }>, port: FlowKey["port"]): boolean {
  return port === 53 && namespace === "kube-system" && name.includes("dns");
}

function workloadValue({ namespace, of, name }: Extract<Place, { kind: "workload" }>): string | undefined {
  if (of === "Pods") return `${namespace}/${name}`;
  const kind = workloadKinds.find((one) => one === of);
  return kind === undefined ? undefined : `${namespace}/${kind.toLowerCase()}/${name}`;
}

function portValues(ports: TemplateOpening["ports"], { port, protocol }: FlowKey): Found | undefined {
  if (ports === undefined) return { values: {}, width: port === 53 ? 0 : 8 };
  const found = ports.map((one) => {
    const isWithin =
      "literal" in one.port && Number(one.port.literal) <= Number(port) && Number(port) <= (one.endPort ?? 0);
    const [at, by] = [isWithin ? noValues : named(one.port, String(port), 0), named(one.protocol, protocol, 0)];
    return at && by && { values: { ...at.values, ...by.values }, width: ports.length - 1 };
  });
  return found.find((one) => one !== undefined);
}

const noValues: Found = { values: {}, width: 0 };

/** The parameter with that value; what is written must be it. */
function named(written: Written, value: string | undefined, width: number): Found | undefined {
  if (value === undefined) return undefined;
  if ("literal" in written) return written.literal === value ? { values: {}, width } : undefined;
  return { values: { [written.parameter]: value }, width };
}
