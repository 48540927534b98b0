import { type Refusal, refusal } from "../policy/guard.ts";
import type { Endpoint } from "../simulator/decide.ts";
import type { Protocol } from "../simulator/model.ts";
import { podsOfService, portOf, targetOf } from "../simulator/services.ts";
import type { SimulatedPod, SimulatedService } from "../simulator/snapshot.ts";
import type { ExplainFacts } from "./explain-facts.ts";

/** One end, resolved: what may stand for it, each with a name for people. */
export type Side = {
  readonly label: string;
  readonly members: readonly Member[];
  /** What it was taken for, in a sentence. */
  readonly words: string;
};

export type Member = {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Where a connection to it arrives: a Service's target on this pod, else as asked. */
  readonly port: number;
};

export type Arrival = { readonly protocol: Protocol; readonly port: number };

export type Looking = {
  readonly facts: ExplainFacts;
  /** Whether the person may look into the namespace: what lies elsewhere is not there. */
  readonly sees: (namespace: string) => boolean;
  /** The destination's protocol and port; undefined for a source, which no Service stands for by its ports. */
  readonly arrival: Arrival | undefined;
};

/** Pods as an end: `what` completes the sentence that begins with the label and `is`. */
export function sideOf(label: string, pods: readonly SimulatedPod[], arrival: Arrival | undefined, what: string): Side {
  const members = pods.map((pod) => memberOf(pod, arrival?.port ?? 0));
  return { label, members, words: `${label} is ${what}${count(pods.length)}.` };
}

export function memberOf(pod: SimulatedPod, port: number): Member {
  return { name: pod.name ?? "", endpoint: { kind: "pod", pod }, port };
}

const byHand = "Name an address.";

/** A named target is resolved on each pod; a pod without a port of that name is not behind the Service's port. */
export function throughService(
  { snapshot }: ExplainFacts,
  service: SimulatedService,
  { protocol, port }: Arrival,
): Side | Refusal {
  const label = `${service.namespace}/${service.name}`;
  if (service.externalName !== undefined)
    return refusal(`Service ${label} stands for the DNS name ${service.externalName} and leads to no pod`, byHand);
  const asked = portOf(service, { protocol, port });
  const has = service.ports.map((one) => `${one.port}/${one.protocol}`).join(", ");
  if (asked === undefined)
    return refusal(`Service ${label} has no port ${port}/${protocol}`, `It has: ${has === "" ? "none" : has}.`);
  if (Object.keys(service.selector).length === 0)
    return refusal(`Service ${label} selects no pods: its endpoints are set by hand`, byHand);
  const members = podsOfService(snapshot, service).flatMap((pod) => {
    const target = targetOf(pod, service, asked);
    return target === undefined ? [] : [memberOf(pod, target)];
  });
  if (members.length === 0)
    return refusal(`no pod is behind port ${port} of Service ${label}`, "Look at kubectl get endpointslices.");
  const targets = [...new Set(members.map((member) => member.port))].join(", ");
  const words = `${label} is Service ${service.name}: its port ${port} is port ${targets} of ${pluralPods(members.length)}.`;
  return { label, members, words };
}

function count(pods: number): string {
  return pods === 1 ? "" : `, ${pluralPods(pods)}`;
}

function pluralPods(pods: number): string {
  return pods === 1 ? "1 pod" : `${pods} pods`;
}
