import type { Where } from "./history.ts";
import { namespaceIn } from "./keys.ts";
import type { Store } from "./store.ts";

/**
 * Leaves out members `code id` of a cluster's index that lie elsewhere. A code tells namespaces apart without naming them: of
 * each one policy is read. Only a first look: what passes is looked at again by its own key.
 */
export function createSieve(
  store: Store,
  { cluster, where }: { readonly cluster: string; readonly where?: Where | undefined },
) {
  const known = new Map<string, boolean>();
  return async (members: readonly string[]): Promise<readonly string[]> => {
    if (where === undefined) return members;
    const codes = members.map(codeOf).filter((code) => !known.has(namespaceIn(code)));
    const one = new Map(codes.map((code) => [namespaceIn(code), code]));
    const lineages = await store.read(cluster, [...one.values()]);
    for (const [code, { key }] of lineages) known.set(namespaceIn(code), where(key));
    return members.filter((member) => known.get(namespaceIn(codeOf(member))) !== false);
  };
}

function codeOf(member: string): string {
  return member.split(" ", 1)[0] ?? "";
}
