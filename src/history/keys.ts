import { createHash } from "node:crypto";
import type { PolicyKey } from "../policy/revision.ts";

/**
 * All keys are in one slot. By cluster: `heads` and `trails` are hashes by code (record.ts); `names` holds the codes in
 * their order; `times` hold `code id` of each revision by its moment, of the cluster and of each namespace.
 * `revisions` holds `id code cluster` in the order of ids.
 */
export const keys = {
  clusters: "{bulkhead}:history:clusters",
  revisions: "{bulkhead}:history:revisions",
  /** What tells the cluster of that name from another one that bore it. */
  identity: (cluster: string): string => `{bulkhead}:history:identity:${cluster}`,
  heads: (cluster: string): string => `{bulkhead}:history:heads:${cluster}`,
  trails: (cluster: string): string => `{bulkhead}:history:trails:${cluster}`,
  names: (cluster: string): string => `{bulkhead}:history:names:${cluster}`,
  /** Slashes are in no namespace. */
  times: (cluster: string, namespace?: string): string =>
    `{bulkhead}:history:times:${cluster}${namespace === undefined ? "" : `/${namespace}`}`,
  authors: (revision: string): string => `{bulkhead}:history:authors:${revision}`,
} as const;

/**
 * Stands for a lineage within its cluster: 36 bits of its name, 36 of its namespace, 36 of group and kind, so that a
 * beginning of it finds policies by their name. Two policies with one code would need all three to be alike.
 */
export function codeOf({ apiVersion, kind, namespace, name }: Omit<PolicyKey, "cluster">): string {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  return `${codeOfName(name, namespace ?? "")}${short(`${group}/${kind}`)}`;
}

/** How the codes of all policies of that name begin; in all namespaces where none is given. */
export function codeOfName(name: string, namespace: string | undefined): string {
  return `${short(name)}${namespace === undefined ? "" : short(namespace)}`;
}

/** The part of it that stands for the namespace alone. */
export function namespaceIn(code: string): string {
  return code.slice(6, 12);
}

/** Six characters. */
function short(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 6);
}
