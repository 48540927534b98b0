import { z } from "zod";
import { type AddressSet, allAddresses, uniteAddresses } from "./addresses.ts";
import { labelsOfMember } from "./calico-labels.ts";
import { hostEndpoint, networkSet } from "./calico-schema.ts";
import type { LabelOf } from "./calico-truth.ts";
import type { SimulatedNamespace, WireObject } from "./model.ts";

/** What selectors select besides pods: addresses with labels. */
export type Member = {
  readonly name: string;
  readonly labelOf: LabelOf;
  readonly addresses: AddressSet;
};

type Namespaces = readonly SimulatedNamespace[];

const stored = "projectcalico.org/metadata";

const metadata = z.looseObject({
  labels: z.record(z.string(), z.string()).optional().catch(undefined),
  annotations: z.record(z.string(), z.string()).optional().catch(undefined),
});

/**
 * Network sets, and host endpoints by their expectedIPs (Calico reference, EntityRule: selectors match workload
 * endpoints, host endpoints and network sets). One that cannot be read may be anything.
 */
export function readMembers(objects: readonly WireObject[], namespaces: Namespaces): readonly Member[] {
  return objects.flatMap((object) => {
    const addresses = addressesOf(object);
    if (addresses === undefined) return [];
    const name = `${object.kind} ${object.metadata.name}`;
    if (addresses === "unreadable") return [{ name, labelOf: () => null, addresses: allAddresses }];
    const namespace = object.kind === "NetworkSet" ? (object.metadata.namespace ?? "default") : undefined;
    return [
      {
        name,
        labelOf: labelsOfMember(
          labelsOf(object),
          namespace === undefined ? undefined : namespaceNamed(namespaces, namespace),
        ),
        addresses,
      },
    ];
  });
}

/** One without an object has only the label that every namespace has. */
function namespaceNamed(namespaces: Namespaces, name: string): SimulatedNamespace {
  const labels = { "kubernetes.io/metadata.name": name };
  return namespaces.find((namespace) => namespace.name === name) ?? { name, labels };
}

function addressesOf({ kind, spec }: WireObject): AddressSet | "unreadable" | undefined {
  if (kind === "NetworkSet" || kind === "GlobalNetworkSet") {
    const set = networkSet.safeParse({ spec });
    return set.success ? uniteAddresses(set.data.spec?.nets ?? []) : "unreadable";
  }
  if (kind !== "HostEndpoint") return undefined;
  const endpoint = hostEndpoint.safeParse({ spec });
  return endpoint.success ? uniteAddresses(endpoint.data.spec?.expectedIPs ?? []) : "unreadable";
}

/** crd.projectcalico.org/v1 keeps the labels of a v3 object in an annotation (libcalico-go, resources.go). */
function labelsOf(object: WireObject): Readonly<Record<string, string>> {
  const { labels = {}, annotations = {} } = metadata.parse(object.metadata);
  const kept = annotations[stored];
  return kept === undefined ? labels : { ...labels, ...storedLabels(kept) };
}

function storedLabels(text: string): Readonly<Record<string, string>> {
  try {
    return metadata.parse(JSON.parse(text)).labels ?? {};
  } catch {
    return {};
  }
}
