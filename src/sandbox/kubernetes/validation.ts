import { isDeepStrictEqual } from "node:util";
import { forbidden, invalidValue, required } from "./causes.ts";
import { at, listAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import {
  labelNameProblem,
  labelValueProblem,
  pathSegmentProblem,
  qualifiedNameProblem,
  serviceNameProblem,
  subdomainProblem,
} from "./names.ts";
import type { KubeObject } from "./objects.ts";
import type { Resource } from "./resources.ts";
import { labelSelector } from "./selectors.ts";
import type { Cause } from "./status.ts";
import { networkPolicyProblems } from "./validate-policy.ts";

/** Everything that is wrong with an object about to be stored; `previous` is what it would replace. */
export function problemsOf(resource: Resource, next: KubeObject, previous: KubeObject | undefined): Cause[] {
  return [
    ...metadataProblems(resource, next),
    ...(previous === undefined ? [] : immutableMetadata(next, previous)),
    ...kindProblems(next, previous),
  ];
}

function metadataProblems(resource: Resource, { metadata }: KubeObject): Cause[] {
  const problem = nameProblem(resource)(metadata.name);
  const labels = Object.entries(metadata.labels ?? {});
  const annotations = Object.entries(metadata.annotations ?? {});
  const size = annotations.reduce((sum, [key, text]) => sum + Buffer.byteLength(key) + Buffer.byteLength(text), 0);
  const found = (field: string, value: string, message: string | undefined): Cause[] =>
    message === undefined ? [] : [invalidValue(field, value, message)];
  return [
    ...found("metadata.name", metadata.name, problem),
    ...labels.flatMap(([key]) => found("metadata.labels", key, qualifiedNameProblem(key))),
    ...labels.flatMap(([, value]) => found("metadata.labels", value, labelValueProblem(value))),
    ...annotations.flatMap(([key]) => found("metadata.annotations", key, qualifiedNameProblem(key.toLowerCase()))),
    ...(size > 262_144
      ? [
          {
            reason: "FieldValueTooLong",
            message: "Too long: must have at most 262144 bytes",
            field: "metadata.annotations",
          },
        ]
      : []),
    ...(metadata.ownerReferences ?? []).flatMap((owner) =>
      (["apiVersion", "kind", "name", "uid"] as const).flatMap((field) =>
        owner[field]
          ? []
          : [invalidValue(`metadata.ownerReferences.${field}`, owner[field] ?? "", "must not be empty")],
      ),
    ),
  ];
}

function nameProblem(resource: Resource): (name: string) => string | undefined {
  if (resource.kind === "Namespace") return labelNameProblem;
  if (resource.kind === "Service") return serviceNameProblem;
  return resource.group === "rbac.authorization.k8s.io" ? pathSegmentProblem : subdomainProblem;
}

function immutableMetadata(next: KubeObject, previous: KubeObject): Cause[] {
  return (["name", "namespace", "uid", "creationTimestamp"] as const)
    .filter((field) => next.metadata[field] !== previous.metadata[field])
    .map((field) => invalidValue(`metadata.${field}`, next.metadata[field], "field is immutable"));
}

function kindProblems(next: KubeObject, previous: KubeObject | undefined): Cause[] {
  switch (next.kind) {
    case "NetworkPolicy":
      return networkPolicyProblems(objectAt(next, "spec"));
    case "Pod":
      return podProblems(next, previous);
    case "Deployment":
    case "ReplicaSet":
    case "StatefulSet":
    case "DaemonSet":
      return workloadProblems(next, previous);
    case "Lease":
      return leaseProblems(next);
    case "Event":
      return eventProblems(next, previous);
    case "ConfigMap":
      return configMapProblems(next, previous);
    default:
      return [];
  }
}

/** What may change in a pod's spec after it was created. */
const mutablePodFields = new Set([
  "tolerations",
  "activeDeadlineSeconds",
  "terminationGracePeriodSeconds",
  "ephemeralContainers",
]);

function podProblems(next: KubeObject, previous: KubeObject | undefined): Cause[] {
  if (previous !== undefined) {
    const fixed = (pod: KubeObject): unknown =>
      Object.entries(objectAt(pod, "spec"))
        .filter(([field]) => !mutablePodFields.has(field) && field !== "nodeName")
        .map(([field, value]) => [field, field.endsWith("ontainers") ? withoutImages(value) : value]);
    if (isDeepStrictEqual(fixed(next), fixed(previous))) return [];
    const message =
      "pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, `spec.activeDeadlineSeconds` or `spec.tolerations` (only additions to existing tolerations)";
    return [forbidden("spec", message)];
  }
  return containerProblems(next, "spec");
}

function withoutImages(containers: unknown): unknown {
  return Array.isArray(containers) ? containers.map((each) => ({ ...objectAt(each), image: "" })) : containers;
}

function containerProblems(object: KubeObject, ...path: string[]): Cause[] {
  const containers = listAt(object, ...path, "containers");
  const field = [...path, "containers"].join(".");
  if (containers.length === 0) return [required(field)];
  return containers.flatMap((container, index) => [
    ...(textAt(container, "name") ? [] : [required(`${field}[${index}].name`)]),
    ...(textAt(container, "image") ? [] : [required(`${field}[${index}].image`)]),
  ]);
}

function workloadProblems(next: KubeObject, previous: KubeObject | undefined): Cause[] {
  const selector = at(next, "spec", "selector");
  const labels = textsAt(next, "spec", "template", "metadata", "labels");
  const replicas = numberAt(next, "spec", "replicas") ?? 0;
  const empty = Object.keys(objectAt(selector)).length === 0;
  const changed = previous !== undefined && !isDeepStrictEqual(selector, at(previous, "spec", "selector"));
  return [
    ...(empty ? [required("spec.selector")] : []),
    ...(!empty && !labelSelector(selector)(labels)
      ? [invalidValue("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")]
      : []),
    ...(changed ? [invalidValue("spec.selector", selector, "field is immutable")] : []),
    ...(replicas < 0 ? [invalidValue("spec.replicas", replicas, "must be greater than or equal to 0")] : []),
    ...containerProblems(next, "spec", "template", "spec"),
  ];
}

function leaseProblems(lease: KubeObject): Cause[] {
  const seconds = numberAt(lease, "spec", "leaseDurationSeconds");
  const bad = seconds !== undefined && seconds <= 0;
  return bad ? [invalidValue("spec.leaseDurationSeconds", seconds, "must be greater than 0")] : [];
}

/** events.k8s.io demands more than core v1; older core events pass as they do on the server. */
function eventProblems(event: KubeObject, previous: KubeObject | undefined): Cause[] {
  if (event.apiVersion !== "events.k8s.io/v1" || previous !== undefined) return [];
  const type = textAt(event, "type");
  const note = textAt(event, "note") ?? "";
  const missing = ["eventTime", "reportingController", "reportingInstance", "action", "reason"];
  return [
    ...missing.filter((field) => !textAt(event, field)).map((field) => required(field)),
    ...(type === "Normal" || type === "Warning"
      ? []
      : [invalidValue("type", type ?? "", `has invalid value: ${type ?? ""}`)]),
    ...(Buffer.byteLength(note) > 1024 ? [invalidValue("note", note, "can have at most 1024 characters")] : []),
  ];
}

function configMapProblems(next: KubeObject, previous: KubeObject | undefined): Cause[] {
  const keys = [...Object.keys(objectAt(next, "data")), ...Object.keys(objectAt(next, "binaryData"))];
  const bad = keys.filter((key) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key) || key === "." || key === "..");
  const changed = (["data", "binaryData"] as const).filter(
    (field) => !isDeepStrictEqual(next[field], previous?.[field]),
  );
  const fixed = previous?.["immutable"] === true;
  return [
    ...bad.map((key) =>
      invalidValue(`data[${key}]`, key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"),
    ),
    ...(fixed ? changed.map((field) => forbidden(field, "field is immutable when `immutable` is set")) : []),
  ];
}
