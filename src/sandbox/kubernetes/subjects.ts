import type { Resource } from "./resources.ts";
import type { Subject } from "./status.ts";

/** What refusals by a resource's rules name: its plural. */
export function subjectOf(resource: Resource, name: string): Subject {
  return { group: resource.group, kind: resource.plural, name };
}

/** What refusals by a kind's rules name. */
export function kindSubject(resource: Resource, name: string): Subject {
  return { group: resource.group, kind: resource.kind, name };
}
