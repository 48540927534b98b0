/** Where the API keeps a kind of object. */
export type Resource = { readonly group: string; readonly version: string; readonly plural: string };

/** Every kind that this room reads or writes. */
export const resources = {
  pods: { group: "", version: "v1", plural: "pods" },
  namespaces: { group: "", version: "v1", plural: "namespaces" },
  services: { group: "", version: "v1", plural: "services" },
  configMaps: { group: "", version: "v1", plural: "configmaps" },
  policies: { group: "networking.k8s.io", version: "v1", plural: "networkpolicies" },
  deployments: { group: "apps", version: "v1", plural: "deployments" },
  replicaSets: { group: "apps", version: "v1", plural: "replicasets" },
  statefulSets: { group: "apps", version: "v1", plural: "statefulsets" },
  daemonSets: { group: "apps", version: "v1", plural: "daemonsets" },
  jobs: { group: "batch", version: "v1", plural: "jobs" },
  replicationControllers: { group: "", version: "v1", plural: "replicationcontrollers" },
} as const satisfies Record<string, Resource>;

/** Path of the collection, of all namespaces where none is given. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${resource.plural}`;
}

/** Path of one object, in a namespace where it has one. */
export function objectPath(resource: Resource, namespace: string | undefined, name: string): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}
