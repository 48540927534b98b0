import type { Manifest } from "./manifest.ts";

type Json = Readonly<Record<string, unknown>>;

/** What the object does, without what it is called and what was made of it; some kinds have more than a spec (Cilium's `specs`). */
export function defaultedForm(object: Manifest): Json & { readonly spec: Json } {
  const { apiVersion: _a, kind: _k, metadata: _m, status: _s, ...rest } = object;
  return { ...(prune(rest) as Json), spec: defaultedSpec(object) };
}

/**
 * The spec as the API server would have it, so that a manifest and what is stored of it are the same: a NetworkPolicy's
 * policyTypes and protocols filled in (Kubernetes, pkg/apis/networking/v1/defaults.go), Calico's tier (projectcalico.org/v3:
 * `default`), and lists that say nothing left out, as the server leaves them out of its JSON (`omitempty`). A list with an empty rule says
 * much, and stays.
 */
function defaultedSpec({ apiVersion, kind, spec }: Pick<Manifest, "apiVersion" | "kind" | "spec">): Json {
  const [group = ""] = apiVersion.split("/");
  const pruned = prune(spec ?? {}) as Json;
  if (group === "networking.k8s.io" && kind === "NetworkPolicy") return networkPolicy(pruned);
  return /(^|\.)projectcalico\.org$/.test(group) && kind.endsWith("NetworkPolicy")
    ? { tier: "default", ...pruned }
    : pruned;
}

function networkPolicy(spec: Json): Json {
  const { policyTypes, podSelector = {}, ingress, egress } = spec;
  const types = Array.isArray(policyTypes) ? policyTypes : ["Ingress", ...(egress === undefined ? [] : ["Egress"])];
  return {
    ...spec,
    podSelector,
    policyTypes: types.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
    ...(ingress === undefined ? {} : { ingress: withProtocols(ingress) }),
    ...(egress === undefined ? {} : { egress: withProtocols(egress) }),
  };
}

function withProtocols(rules: unknown): unknown {
  if (!Array.isArray(rules)) return rules;
  return rules.map((rule: unknown) => {
    if (!isObject(rule) || !Array.isArray(rule["ports"])) return rule;
    return {
      ...rule,
      ports: rule["ports"].map((port: unknown) => (isObject(port) ? { protocol: "TCP", ...port } : port)),
    };
  });
}

/** Without null, empty lists and empty matchLabels; other empty objects stay: an empty selector selects everything. */
function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prune);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key, member]) => !saysNothing(key, member));
  return Object.fromEntries(kept.map(([key, member]) => [key, prune(member)]));
}

function saysNothing(key: string, member: unknown): boolean {
  if (member === null || member === undefined) return true;
  if (Array.isArray(member)) return member.length === 0;
  return key === "matchLabels" && isObject(member) && Object.keys(member).length === 0;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
