import type { Context } from "./services.ts";

/**
 * When the incident began, milliseconds since the epoch: its first entry in the audit, which is of an operation or of a channel
 * that was bound to it. Undefined where nothing is known of it.
 */
export async function incidentStart({ services }: Context, incident: string): Promise<number | undefined> {
  const entries = await services.audit.read({ incident });
  return entries.length === 0 ? undefined : Date.parse(entries[0]?.at ?? "");
}
