import { isLeftOutByCilium } from "../policy/cilium-labels.ts";
import type { LabelSelector, LabelSelectorRequirement } from "../policy/objects.ts";
import type { PodIdentity, SimulatedNamespace } from "./model.ts";

/** What a selector asks of one label of an endpoint's identity. */
export type Requirement = {
  /** Where the label is from: `k8s`, `any` (which is the default), `reserved`, … */
  readonly source: string;
  readonly name: string;
  readonly operator: LabelSelectorRequirement["operator"];
  readonly values: readonly string[];
};

/** Which label of the identity it is; `why` it is not known. */
export type Sight =
  | { readonly of: "namespace"; readonly read: (namespace: SimulatedNamespace) => string | undefined }
  | { readonly of: "pod"; readonly read: (pod: PodIdentity) => string | undefined; readonly label: string | undefined }
  | { readonly of: "nothing"; readonly why: string };

export const namespaceName = "io.kubernetes.pod.namespace";
export const serviceAccountName = "io.cilium.k8s.policy.serviceaccount";
export const namespaceLabel = "io.cilium.k8s.namespace.labels.";

/** matchLabels and matchExpressions in one list. */
export function requirementsOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): readonly Requirement[] {
  return [
    ...Object.entries(matchLabels).map(([key, value]) => requirementOf({ key, operator: "In", values: [value] })),
    ...matchExpressions.map(requirementOf),
  ];
}

/** What of a pod the requirement looks at. A pod has no reserved labels. */
export function sightOf({ source, name }: Requirement): Sight {
  if (source === "reserved" && name !== "all") return { of: "pod", read: () => undefined, label: undefined };
  if (source !== "k8s" && source !== "any") return unknown(`labels of ${source}: are not known`);
  if (name === namespaceName) return { of: "namespace", read: (namespace) => namespace.name };
  if (name.startsWith(namespaceLabel)) {
    const key = name.slice(namespaceLabel.length);
    return { of: "namespace", read: ({ labels }) => (Object.hasOwn(labels, key) ? labels[key] : undefined) };
  }
  if (name === serviceAccountName) return { of: "pod", read: ({ serviceAccount }) => serviceAccount, label: undefined };
  if (name === "io.cilium.k8s.policy.cluster") return unknown("the name of the cluster is not known");
  if (isLeftOutByCilium(name))
    return unknown(`Cilium leaves the label ${name} out of identities, unless it is configured to use it`);
  return { of: "pod", read: ({ labels }) => (Object.hasOwn(labels, name) ? labels[name] : undefined), label: name };
}

function requirementOf({ key, operator, values = [] }: LabelSelectorRequirement): Requirement {
  if (key.startsWith("$")) return { source: "reserved", name: key.slice(1), operator, values };
  const colon = key.indexOf(":");
  return { source: colon < 0 ? "any" : key.slice(0, colon), name: key.slice(colon + 1), operator, values };
}

function unknown(why: string): Sight {
  return { of: "nothing", why };
}
