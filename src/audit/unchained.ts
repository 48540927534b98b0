import { canonicalJson } from "../policy/canonical.ts";
import type { Copies } from "./copies.ts";
import { isRecord } from "./verify.ts";

/**
 * What became of entries that were told before they were in the chain. One that is chained by now must be the same
 * entry; one that is not is named: its line in the file is the only record.
 */
export function judgeUnchained({ entries, lost, unchained }: Copies): { readonly ok: boolean; readonly line: string } {
  const chained = new Map([...lost, ...entries].filter(isRecord).map((entry) => [entry["id"], entry]));
  const changed: string[] = [];
  const missing: string[] = [];
  for (const { entry } of unchained) {
    const found = chained.get(entry["id"]);
    if (found === undefined) missing.push(String(entry["id"]));
    else if (contentOf(found) !== contentOf(entry)) changed.push(String(entry["id"]));
  }
  const named = (ids: readonly string[]): string => ids.map((id) => JSON.stringify(id)).join(", ");
  return {
    ok: changed.length === 0,
    line: [
      changed.length === 0 ? "" : ` What was told before it was chained is CHANGED in the chain: ${named(changed)}.`,
      missing.length === 0 ? "" : ` NOT in the chain, only told on standard output: ${named(missing)}.`,
    ].join(""),
  };
}

/** An entry without what chaining adds. */
function contentOf(entry: Readonly<Record<string, unknown>>): string {
  const { v: _v, seq: _seq, prev: _prev, hash: _hash, ...content } = entry;
  return canonicalJson(content);
}
