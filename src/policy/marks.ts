import type { LabelSelector } from "./objects.ts";

/** Labels and annotations of ours on Kubernetes objects: wire format, changed only with a version. */
export const marks = {
  /** Label on our objects: the operation's id. */
  operation: "bulkhead.dev/operation",
  /** Label on our objects: `quarantine`, `lockdown`, `allowance` or `canary`. */
  kind: "bulkhead.dev/kind",
  /** Label on a quarantined pod, and what our policy selects: the operation's id. */
  quarantine: "bulkhead.dev/quarantine",
  /** Annotation: the principal's key. */
  principal: "bulkhead.dev/principal",
  /** Annotation: the reason as typed. */
  reason: "bulkhead.dev/reason",
  /** Annotation: the pod, `name uid`. */
  pod: "bulkhead.dev/pod",
  /** Annotation: the workload or namespace, as it is typed (`payments/deployment/checkout`, `payments`). */
  target: "bulkhead.dev/target",
  /** Annotation: canonical JSON of the pod's labels before the quarantine. */
  snapshot: "bulkhead.dev/labels-before",
  /** Annotation on the NetworkPolicy: what else the operation wrote, `plural.group/name`, separated by spaces. */
  denies: "bulkhead.dev/denies",
  /** Annotation on the NetworkPolicy: policies of others whose selector the operation changed, by name, separated by spaces. */
  changed: "bulkhead.dev/changed",
  /** Annotation: the incident's id, where there is one; a label too, so that kubectl can select by it, where it is fit to be one. */
  incident: "bulkhead.dev/incident",
  /** Annotation on an allowance: seconds from the object's creation to its end. Its name says what holds where this is altered. */
  ttlSeconds: "bulkhead.dev/ttl-seconds",
  /** Annotation on an allowance: the template's name and version, `name@version`. */
  template: "bulkhead.dev/template",
  /** Annotation on an allowance: its parameters as canonical JSON. */
  parameters: "bulkhead.dev/parameters",
  /** Annotation on an allowance: where its card is, `channel ts`, so that its end can be shown where all else is lost. */
  card: "bulkhead.dev/card",
  /** Annotation on a policy of somebody else that a rollback wrote: the undo's id. No part of what the policy was. */
  undo: "bulkhead.dev/undo",
  /** Annotation beside Flux's `reconcile: disabled`: the undo that set both (flux-pause.ts). No part of what the policy was. */
  pausesFlux: "bulkhead.dev/pauses-flux",
  /** Label on pods of the canary: which of its run, `0-server`. */
  canary: "bulkhead.dev/canary",
  /** Informational; selecting goes by our own labels. */
  managedBy: "app.kubernetes.io/managed-by",
} as const;

/** Selects what cuts something off, and stays until a person releases it. */
export const containing: LabelSelector = {
  matchExpressions: [{ key: marks.kind, operator: "In", values: ["quarantine", "lockdown"] }],
};

/** Field manager for our own objects, and the one for pod labels (design.md, wire format). */
export const fieldManagers = { objects: "bulkhead", labels: "bulkhead-label" } as const;

/** Deterministic, so that a repeated write collides with itself: one policy an operation. */
export function quarantinePolicyName(operation: string): string {
  return `bulkhead-${operation}`;
}
