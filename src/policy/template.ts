import { formatDuration } from "./duration.ts";
import { type Refusal, refusal } from "./guard.ts";

/** An emergency allowlist that was approved beforehand: a file of runbooks/allowlists, checked (src/template-file.ts). */
export type Template = {
  /** The first 12 hex digits of the SHA-256 over all below, in canonical form: comments and layout do not count. */
  readonly version: string;
  readonly name: string;
  readonly title: string;
  /** When to use it, a sentence. */
  readonly when: string;
  readonly owner: string;
  /** A file's name in runbooks/procedures. */
  readonly procedure: string;
  /** By name, in the order of the file. Each is used by some opening. */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** At least one. */
  readonly opens: readonly TemplateOpening[];
  /** Milliseconds, whole seconds: 0 < default ≤ max ≤ total ≤ longestTotalMs. `total` is the most with extensions. */
  readonly ttl: { readonly defaultMs: number; readonly maxMs: number; readonly totalMs: number };
  /** Names, names with a trailing `*`, or `*` for all. Empty is nowhere. */
  readonly namespaces: readonly string[];
  readonly clusters: readonly string[];
  /**
   * How many other people have to approve, and of whom (keys as keysOf gives them); `from` is empty where the access
   * section alone says who approves.
   */
  readonly approvals: { readonly count: number; readonly from: readonly string[] };
  /** Whether one that ended needs the review of somebody else. */
  readonly review: boolean;
  /** Whether it may open to anything, or on all ports: never without approval. */
  readonly wide: boolean;
};

/** No template goes beyond, whatever it says. */
export const longestTotalMs = 7 * 86_400_000;

/** What somebody gives when using the template. A default is written as it would be typed, and is valid. */
export type Parameter = { readonly about: string; readonly default?: string } & ParameterType;

export type ParameterType =
  | { readonly type: "workload" | "namespace" }
  | PortParameter
  | CidrParameter
  | { readonly type: "choice"; readonly oneOf: readonly string[] };

/** Inclusive bounds, or the only ports; absent bounds are all ports. */
export type PortParameter = {
  readonly type: "port";
  readonly min?: number;
  readonly max?: number;
  readonly oneOf?: readonly number[];
};

/** The shortest prefix of each family, of at least one; `within`: blocks in one of which it has to lie. */
export type CidrParameter = {
  readonly type: "cidr";
  readonly widest: { readonly ipv4?: number; readonly ipv6?: number };
  readonly within?: readonly string[];
};

/** A value as it is written in a template: a text, or a parameter's. */
export type Written = { readonly literal: string } | { readonly parameter: string };

export type TemplateOpening = {
  readonly from: TemplateEnd;
  readonly to: TemplateEnd;
  /** Undefined: all ports, or those of the cluster's DNS. */
  readonly ports?: readonly TemplatePort[];
};

/** What stands at one end of a connection, in the direction in which it is opened. */
export type TemplateEnd =
  | { readonly kind: "workload"; readonly workload: Written }
  /** All pods of the namespace, or those with all these labels. */
  | { readonly kind: "namespace"; readonly namespace: Written; readonly pods?: Readonly<Record<string, Written>> }
  | { readonly kind: "block"; readonly cidr: Written; readonly except: readonly string[] }
  | { readonly kind: "dns" }
  | { readonly kind: "anything" };

export type TemplatePort = {
  readonly port: Written;
  readonly protocol: Written;
  /** Inclusive, not below the port. */
  readonly endPort?: number;
};

/** Where it is asked for; undefined is not known yet, and then any place counts. */
export type TemplatePlace = { readonly cluster: string | undefined; readonly namespace: string | undefined };

/** Whether the template may be used there, by its own `where`; who may is another question (access.ts). */
export function mayUseHere(template: Pick<Template, "namespaces" | "clusters">, place: TemplatePlace): boolean {
  return covered(template.clusters, place.cluster) && covered(template.namespaces, place.namespace);
}

/** Why the template may not be used there; undefined where it may. */
export function refuseElsewhere(template: Template, place: TemplatePlace): Refusal | undefined {
  if (mayUseHere(template, place)) return undefined;
  const isCluster = !covered(template.clusters, place.cluster);
  const [what, name, list] = isCluster
    ? ["cluster", place.cluster, template.clusters]
    : ["namespace", place.namespace, template.namespaces];
  const where = list.length === 0 ? "nowhere" : `only in ${list.join(", ")}`;
  return refusal(
    `template ${template.name} may not be used in ${what} ${name}: its where.${what}s allows it ${where}`,
    `Choose another template, or ask its owner, ${template.owner}.`,
  );
}

/** What goes into an allowance's name: how long it is opened for, and the most that extensions may make of it. */
export type Ttl = { readonly ttlSeconds: number; readonly maxSeconds: number };

/** The time for which it is opened: as asked (milliseconds), else the template's. Refuses rather than shortens it. */
export function ttlFor({ name, ttl }: Pick<Template, "name" | "ttl">, askedMs: number | undefined): Ttl | Refusal {
  const ms = askedMs ?? ttl.defaultMs;
  const most = formatDuration(ttl.maxMs);
  if (!(ms >= 1_000))
    return refusal("an allowance lasts at least a second", `Give a time up to ${most}, as in: for 30m`);
  if (ms > ttl.maxMs) {
    return refusal(
      `${formatDuration(ms)} is more than the ${most} for which template ${name} may be opened at once`,
      `Ask for ${most} or less; it can be extended to ${formatDuration(ttl.totalMs)} in all.`,
    );
  }
  return { ttlSeconds: Math.floor(ms / 1_000), maxSeconds: Math.floor(ttl.totalMs / 1_000) };
}

function covered(patterns: readonly string[], name: string | undefined): boolean {
  if (name === undefined) return patterns.length > 0;
  return patterns.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name));
}
