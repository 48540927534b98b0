import type { JsonObject } from "./json.ts";
import type { KubeObject } from "./objects.ts";

export function asTable(objects: readonly KubeObject[], metadata: JsonObject, now: number): JsonObject {
  return { kind: "Table", apiVersion: "meta.k8s.io/v1", metadata, now, rows: objects.length };
}
