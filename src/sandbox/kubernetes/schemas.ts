import type { Schema } from "./schema.ts";

const texts: Schema = { map: "string" };
const strings: Schema = { list: "string" };

const metadata: Schema = {
  fields: {
    name: "string",
    generateName: "string",
    namespace: "string",
    selfLink: "string",
    uid: "string",
    resourceVersion: "string",
    generation: "integer",
    creationTimestamp: "time",
    deletionTimestamp: "time",
    deletionGracePeriodSeconds: "integer",
    labels: texts,
    annotations: texts,
    finalizers: strings,
    ownerReferences: {
      list: {
        fields: {
          apiVersion: "string",
          kind: "string",
          name: "string",
          uid: "string",
          controller: "boolean",
          blockOwnerDeletion: "boolean",
        },
      },
    },
    managedFields: { list: "any" },
  },
};

const selector: Schema = {
  fields: {
    matchLabels: texts,
    matchExpressions: { list: { fields: { key: "string", operator: "string", values: strings } } },
  },
};

const peers: Schema = {
  list: {
    fields: {
      podSelector: selector,
      namespaceSelector: selector,
      ipBlock: { fields: { cidr: "string", except: strings } },
    },
  },
};
const policyPorts: Schema = { list: { fields: { protocol: "string", port: "intOrString", endPort: "integer" } } };

const reference: Schema = {
  fields: {
    apiVersion: "string",
    kind: "string",
    namespace: "string",
    name: "string",
    uid: "string",
    resourceVersion: "string",
    fieldPath: "string",
  },
};
const series: Schema = { fields: { count: "integer", lastObservedTime: "microTime" } };
const eventSource: Schema = { fields: { component: "string", host: "string" } };

const subjects: Schema = {
  list: { fields: { kind: "string", apiGroup: "string", name: "string", namespace: "string" } },
};
const rules: Schema = {
  list: {
    fields: {
      verbs: strings,
      apiGroups: strings,
      resources: strings,
      resourceNames: strings,
      nonResourceURLs: strings,
    },
  },
};
const roleRef: Schema = { fields: { apiGroup: "string", kind: "string", name: "string" } };

/** The members beside apiVersion, kind and metadata, by group and kind: these kinds are read as strictly as they are on the server. */
const members = new Map<string, Readonly<Record<string, Schema>>>([
  [
    "networking.k8s.io NetworkPolicy",
    {
      spec: {
        fields: {
          podSelector: selector,
          policyTypes: strings,
          ingress: { list: { fields: { from: peers, ports: policyPorts } } },
          egress: { list: { fields: { to: peers, ports: policyPorts } } },
        },
      },
      status: "any",
    },
  ],
  [" ConfigMap", { data: texts, binaryData: texts, immutable: "boolean" }],
  [" Secret", { data: texts, stringData: texts, type: "string", immutable: "boolean" }],
  [
    " ServiceAccount",
    { secrets: { list: reference }, imagePullSecrets: { list: "any" }, automountServiceAccountToken: "boolean" },
  ],
  [" Namespace", { spec: { fields: { finalizers: strings } }, status: "any" }],
  [
    "coordination.k8s.io Lease",
    {
      spec: {
        fields: {
          holderIdentity: "string",
          leaseDurationSeconds: "integer",
          acquireTime: "microTime",
          renewTime: "microTime",
          leaseTransitions: "integer",
          strategy: "string",
          preferredHolder: "string",
        },
      },
    },
  ],
  [
    " Event",
    {
      involvedObject: reference,
      reason: "string",
      message: "string",
      source: eventSource,
      firstTimestamp: "time",
      lastTimestamp: "time",
      count: "integer",
      type: "string",
      eventTime: "microTime",
      series,
      action: "string",
      related: reference,
      reportingComponent: "string",
      reportingInstance: "string",
    },
  ],
  [
    "events.k8s.io Event",
    {
      eventTime: "microTime",
      series,
      reportingController: "string",
      reportingInstance: "string",
      action: "string",
      reason: "string",
      regarding: reference,
      related: reference,
      note: "string",
      type: "string",
      deprecatedSource: eventSource,
      deprecatedFirstTimestamp: "time",
      deprecatedLastTimestamp: "time",
      deprecatedCount: "integer",
    },
  ],
  ["rbac.authorization.k8s.io Role", { rules }],
  ["rbac.authorization.k8s.io ClusterRole", { rules, aggregationRule: "any" }],
  ["rbac.authorization.k8s.io RoleBinding", { subjects, roleRef }],
  ["rbac.authorization.k8s.io ClusterRoleBinding", { subjects, roleRef }],
  [
    "authorization.k8s.io SelfSubjectAccessReview",
    {
      spec: {
        fields: {
          resourceAttributes: {
            fields: {
              namespace: "string",
              verb: "string",
              group: "string",
              version: "string",
              resource: "string",
              subresource: "string",
              name: "string",
            },
          },
          nonResourceAttributes: { fields: { path: "string", verb: "string" } },
        },
      },
      status: "any",
    },
  ],
  ["authorization.k8s.io SelfSubjectRulesReview", { spec: { fields: { namespace: "string" } }, status: "any" }],
  ["authentication.k8s.io SelfSubjectReview", { status: "any" }],
]);

/**
 * How objects of the kind are read. Undefined for kinds whose whole schema is not written down here (Pods, Deployments,
 * …, custom resources): of those only the metadata is (see metadataSchema), the rest is kept as it came.
 */
export function schemaOf(group: string, kind: string): Schema | undefined {
  const fields = members.get(`${group} ${kind}`);
  return fields === undefined ? undefined : { fields: { apiVersion: "string", kind: "string", metadata, ...fields } };
}

export const metadataSchema: Schema = { fields: { metadata } };
