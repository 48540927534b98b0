import { knownAllowance } from "../policy/allowance.ts";
import type { Manifest } from "../policy/manifest.ts";
import { selectorQuery } from "../policy/selector.ts";
import type { ClusterCache, Oldest } from "./cache.ts";
import type { Age, Cluster, Freshness } from "./cluster.ts";
import type { Connection } from "./connection.ts";
import { listFacts } from "./facts.ts";
import { isUnanswered } from "./failure.ts";
import { listAll } from "./list.ts";
import { parseNamespace, parsePod, parsePolicy } from "./parse.ts";
import { reviewAccess } from "./permission.ts";
import { listPolicyObjects } from "./policy-objects.ts";
import { collectionPath, resources } from "./resources.ts";
import { readSurroundings } from "./surroundings.ts";
import { getManifest, getObject } from "./writes.ts";

type Lists =
  | "listPods"
  | "listPolicies"
  | "listAllowances"
  | "knownPolicies"
  | "namespaces"
  | "facts"
  | "policyObjects"
  | "surroundings";
type Reads = "getPod" | "getObject" | "mayI" | Lists;

/** How old the cache may be, in milliseconds, to be shown, and to be written upon. */
const currentForMs = 30_000;
const recentForMs = 5_000;

/** The whole of a list, however many pages it has. */
const listWithinMs = 10_000;

/** A person waits for the plan, and the plan can do without. */
const surroundingsWithinMs = 3_000;

/** What a cluster answers from its server or, where there is one, from its cache. */
export function createReads(connection: Connection, cache: ClusterCache | undefined): Pick<Cluster, Reads> {
  const list = async <T>(
    path: string,
    parse: (raw: unknown) => T,
    { labelSelector = "", withinMs = listWithinMs } = {},
  ): Promise<readonly T[]> => {
    const signal = AbortSignal.timeout(withinMs);
    return (await listAll(connection, path, parse, { labelSelector, signal })).items;
  };
  const policies = (labelSelector: string, namespace?: string, withinMs?: number) =>
    list(collectionPath(resources.policies, namespace), parsePolicy, { labelSelector, withinMs });
  return {
    async getPod(namespace, name) {
      const raw = await getObject(connection, resources.pods, namespace, name);
      return raw === undefined ? undefined : parsePod(raw);
    },
    listPods: (namespace, selector) =>
      list(collectionPath(resources.pods, namespace), parsePod, { labelSelector: selector }),
    getObject: (reference) => getManifest(connection, reference),
    listPolicies: (labelSelector, namespace) => policies(labelSelector, namespace),
    knownPolicies: (selector, withinMs) =>
      orOld(
        async () => ({ items: await policies(selectorQuery(selector), undefined, withinMs), ageMs: 0 }),
        () => cache?.policies(selector, "any"),
      ),
    listAllowances: () => listAllowances(connection),
    async namespaces() {
      const ask = async () => ({ items: await list(collectionPath(resources.namespaces), parseNamespace), ageMs: 0 });
      const old = (oldest: Oldest) => withAge(cache?.namespaces(oldest));
      return (old(oldestFor("cache", connection)) ?? (await orOld(ask, () => old("any")))).items;
    },
    async facts(namespace, from) {
      const oldest = from === "fresh" ? undefined : oldestFor(from, connection);
      const cached = oldest === undefined ? undefined : cache?.facts(namespace, oldest);
      if (cached !== undefined) return cached;
      const ask = () => listFacts(connection, namespace, AbortSignal.timeout(listWithinMs));
      return from === "cache" ? orOld(ask, () => cache?.facts(namespace, "any")) : ask();
    },
    policyObjects: () => listPolicyObjects(connection, AbortSignal.timeout(listWithinMs)),
    surroundings: (namespace, pods) =>
      readSurroundings(connection, namespace, pods, AbortSignal.timeout(surroundingsWithinMs)),
    mayI: (verb, { group, plural }, namespace) => reviewAccess(connection, { verb, group, plural, namespace }),
  };
}

async function listAllowances(connection: Connection): Promise<readonly Manifest[]> {
  const signal = AbortSignal.timeout(listWithinMs);
  const { items } = await listAll(connection, collectionPath(resources.policies), allowanceIn, { signal });
  return items.filter((policy) => policy !== undefined);
}

/** Undefined for every other policy, so that a list of many keeps none of them. */
function allowanceIn(raw: unknown): Manifest | undefined {
  const policy = parsePolicy(raw);
  return knownAllowance(policy) === undefined ? undefined : policy;
}

/** While the server is silent, nothing in the cache passes for current: whoever needs that has to ask. */
function oldestFor(from: Exclude<Freshness, "fresh">, connection: Connection): number {
  if (connection.silent()) return -1;
  return from === "recent" ? recentForMs : currentForMs;
}

function withAge<T>(items: readonly T[] | undefined): (Age & { readonly items: readonly T[] }) | undefined {
  return items && { items, ageMs: 0 };
}

/** What the server says; where it cannot be asked, what was known before. Without that the failure is thrown. */
async function orOld<T extends Age>(ask: () => Promise<T>, old: () => T | undefined): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const known = isUnanswered(error) ? old() : undefined;
    if (known === undefined || !isUnanswered(error)) throw error;
    return { ...known, unanswered: error };
  }
}
