import type { ManifestReference } from "../policy/manifest.ts";
import type { ManagedFields, RawPolicy } from "../policy/revision.ts";

/**
 * As it is on the wire, without status, which some engines fill with kilobytes, and with each `fieldsV1` as its JSON text,
 * which takes a fraction of the memory. Items of a list come without apiVersion and kind.
 */
export function parseRawPolicy(
  raw: unknown,
  { apiVersion, kind }: Pick<ManifestReference, "apiVersion" | "kind">,
): RawPolicy {
  const { status: _, metadata, ...rest } = raw as RawPolicy;
  const managedFields = metadata.managedFields?.map(compact);
  const kept = managedFields === undefined ? metadata : { ...metadata, managedFields };
  return { ...rest, apiVersion, kind, metadata: kept };
}

function compact(entry: ManagedFields): ManagedFields {
  return { ...entry, fieldsV1: shared(JSON.stringify(entry.fieldsV1)) };
}

const byText = new Map<string, string>();

/** Policies that one tool wrote mostly own the same fields: they share one text, which saves some hundred bytes a policy. */
function shared(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const known = byText.get(text);
  if (known !== undefined) return known;
  if (byText.size >= 1_000) byText.clear();
  byText.set(text, text);
  return text;
}
