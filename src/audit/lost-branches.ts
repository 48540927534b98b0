import { isRecord } from "./verify.ts";

type Branches = { readonly entries: readonly unknown[]; readonly lost: readonly unknown[] };

/**
 * Sets apart the copies of entries that Redis lost: where a chain went on from an older entry, or anew, it holds an entry
 * that names the head which was lost (loss.ts), and the copies that lead to that head are not part of it. Nothing else
 * is set apart, so that whoever forges a second entry of some number is still found.
 */
export function withoutLost(entries: readonly unknown[]): Branches {
  const byHash = new Map(entries.flatMap((entry) => (isRecord(entry) ? [[entry["hash"], entry] as const] : [])));
  const back = (hash: unknown): readonly unknown[] => {
    const path: unknown[] = [];
    const seen = new Set<unknown>();
    for (let at = byHash.get(hash); at !== undefined && !seen.has(at); at = byHash.get(at["prev"])) {
      seen.add(at);
      path.push(at);
    }
    return path;
  };
  const losses = entries
    .filter(isRecord)
    .filter(({ kind, detail }) => kind === "chain" && isRecord(detail) && isRecord(detail["seen"]));
  const lost = new Set<unknown>();
  for (const loss of losses) {
    const kept = new Set(back(loss["hash"]));
    const { seen } = loss["detail"] as { readonly seen: { readonly hash: unknown } };
    for (const entry of back(seen.hash)) if (!kept.has(entry)) lost.add(entry);
  }
  if (lost.size === 0) return { entries, lost: [] };
  return { entries: entries.filter((entry) => !lost.has(entry)), lost: entries.filter((entry) => lost.has(entry)) };
}
