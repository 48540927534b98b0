import type { JsonObject } from "./json.ts";
import type { KubeObject } from "./objects.ts";
import { groupVersion, type Resource } from "./resources.ts";

/** The fields that the two event APIs name differently: core v1, events.k8s.io/v1. Both show the same objects. */
const fields = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["reportingComponent", "reportingController"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
] as const;

/** The object as this resource shows it: in its version, and an event in the words of its API. */
export function asServed(resource: Resource, object: KubeObject): KubeObject {
  const apiVersion = groupVersion(resource);
  if (object.apiVersion === apiVersion) return object;
  const shown = resource.kind === "Event" ? renamed(object, resource.group === "" ? 1 : 0) : object;
  return { ...shown, apiVersion };
}

/** The object as it is stored: events in the words of core v1. */
export function asStored(object: KubeObject): KubeObject {
  if (object.apiVersion !== "events.k8s.io/v1") return object;
  return { ...renamed(object, 1), apiVersion: "v1" };
}

function renamed(object: KubeObject, from: 0 | 1): KubeObject {
  const names = new Map<string, string>(fields.map((pair) => [pair[from], pair[1 - from] ?? ""]));
  const { apiVersion, kind, metadata, ...rest } = object;
  const members: JsonObject = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [names.get(key) ?? key, value]),
  );
  return { apiVersion, kind, metadata, ...members };
}
