import { isObject } from "./json.ts";

/**
 * How the built-in types merge their lists (x-kubernetes-list-map-keys of the published schemas), by field name. A list
 * that is not named here is replaced and owned as a whole.
 */
const keysOf = new Map<string, readonly string[]>([
  ["containers", ["name"]],
  ["initContainers", ["name"]],
  ["ephemeralContainers", ["name"]],
  ["env", ["name"]],
  ["volumes", ["name"]],
  ["imagePullSecrets", ["name"]],
  ["volumeMounts", ["mountPath"]],
  ["volumeDevices", ["devicePath"]],
  ["hostAliases", ["ip"]],
  ["podIPs", ["ip"]],
  ["conditions", ["type"]],
  ["ownerReferences", ["uid"]],
  ["topologySpreadConstraints", ["topologyKey", "whenUnsatisfiable"]],
]);

/** Members that are owned whole although they are objects (x-kubernetes-map-type: atomic). */
export const atomicObjects: ReadonlySet<string> = new Set([
  "podSelector",
  "namespaceSelector",
  "selector",
  "nodeSelector",
]);

/** Lists whose items are their own keys. */
export const setLists: ReadonlySet<string> = new Set(["finalizers"]);

/** The fields that tell the items of this list apart; undefined where the list is atomic. */
export function mergeKeys(field: string, items: readonly unknown[]): readonly string[] | undefined {
  const keys = field === "ports" ? portKeys(items[0]) : keysOf.get(field);
  return items.every(isObject) ? keys : undefined;
}

function portKeys(item: unknown): readonly string[] {
  return isObject(item) && "containerPort" in item ? ["containerPort", "protocol"] : ["port", "protocol"];
}
