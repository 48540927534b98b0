import { lastReadyOf } from "./effects.ts";
import type { Pod, Service } from "./objects.ts";
import { selects } from "./selector.ts";
import { systemComponent } from "./system-component.ts";

/** A "no" with its reason and what to do next, both for people. */
export type Refusal = { readonly kind: "refusal"; readonly reason: string; readonly next: string };

/** What the guard rules look at. */
export type GuardInput = {
  readonly pod: Pod;
  /** Of the pod's namespace, as `pods`. */
  readonly services: readonly Service[];
  readonly pods: readonly Pod[];
  /** The name that the person typed after --confirm. */
  readonly confirmed: string | undefined;
  /** Whether another person is to agree that what can be overridden is. */
  readonly override?: boolean | undefined;
  /** The command as it is to be typed again, without --confirm: `quarantine prod:payments/checkout-7d9f`. */
  readonly typed: string;
  readonly protectedNamespaces: readonly string[];
  /** Whether the pod is in the cluster that the bot itself belongs to: its namespace and its Redis are only there. */
  readonly inHomeCluster: boolean;
  /** The bot's own namespace. */
  readonly ownNamespace: string;
  /** The Service that REDIS_URL names, where it names one of the home cluster. */
  readonly redisService: { readonly name: string; readonly namespace: string } | undefined;
};

type Rule = (input: GuardInput) => Refusal | undefined;

/** The first reason why this pod may not be quarantined; undefined where there is none. */
export function refuseTarget(input: GuardInput): Refusal | undefined {
  for (const rule of rules) {
    const refusal = rule(input);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

export function isRefusal(value: object): value is Refusal {
  return "kind" in value && value.kind === "refusal";
}

export function refusal(reason: string, next: string): Refusal {
  return { kind: "refusal", reason, next };
}

const ownNamespace: Rule = ({ pod, inHomeCluster, ownNamespace: own }) =>
  inHomeCluster && pod.namespace === own
    ? refusal(`${own} is Bulkhead's own namespace: cutting it off would end the response`, "Choose another pod.")
    : undefined;

const protectedNamespace: Rule = ({ pod, protectedNamespaces, override, typed }) =>
  override === true ? undefined : refuseProtected(pod.namespace, protectedNamespaces, typed);

/** Refuses what lies in a protected namespace (protectedNamespaces); `typed` as in GuardInput. */
export function refuseProtected(
  namespace: string,
  protectedNamespaces: readonly string[],
  typed: string,
): Refusal | undefined {
  if (!protectedNamespaces.includes(namespace)) return undefined;
  return refusal(
    `namespace ${namespace} is protected`,
    `An administrator can change protectedNamespaces in the configuration. ${overrideWords(typed)}`,
  );
}

/** What an override goes beyond, for whoever is to agree: clauses that no busy cluster changes. */
export function overriddenRules(
  namespace: string,
  settings: Pick<GuardInput, "protectedNamespaces"> & { readonly limits: { readonly pods: number } },
  pods = 1,
): readonly string[] {
  return [
    ...(settings.protectedNamespaces.includes(namespace) ? [`namespace ${namespace} is protected`] : []),
    ...(pods > settings.limits.pods ? [`more than ${settings.limits.pods} pods at once`] : []),
    "as many actions within a minute as it takes",
  ];
}

function overrideWords(typed: string): string {
  return `Or let another person agree to it: /np ${typed} --override`;
}

const ownRedis: Rule = ({ pod, inHomeCluster, services, redisService }) => {
  if (!inHomeCluster) return undefined;
  const service = services.find(
    ({ name, namespace }) => name === redisService?.name && namespace === redisService.namespace,
  );
  if (service === undefined || Object.keys(service.selector).length === 0) return undefined;
  return selects({ matchLabels: service.selector }, pod.labels)
    ? refusal("this pod is Bulkhead's own Redis", "Choose another pod.")
    : undefined;
};

/** NetworkPolicy is undefined for these: engines ignore them or filter the whole node (facts: network-policy §1). */
const hostNetwork: Rule = ({ pod }) =>
  pod.hostNetwork
    ? refusal(
        "it uses the host's network, where NetworkPolicy does not apply",
        "Cordon and drain the node, or filter on the node itself.",
      )
    : undefined;

/** The kubelet owns it: the API server's copy is a mirror, its labels are put back. */
const staticPod: Rule = ({ pod }) =>
  pod.mirror
    ? refusal(
        "it is a static pod: its kubelet runs it from a file, and what is written here is only a mirror",
        `Remove its manifest on node ${pod.nodeName ?? "(unknown)"}.`,
      )
    : undefined;

const finished: Rule = ({ pod }) =>
  pod.phase === "Succeeded" || pod.phase === "Failed"
    ? refusal(`it has finished (${pod.phase}) and has no network any more`, "Nothing needs to be cut off.")
    : undefined;

/**
 * Confirmed by name it goes on: labels, owners and priority classes are what whoever made the pod wrote, and must not be
 * a way to escape a quarantine. What is truly the cluster's lies in protected namespaces, where no word helps.
 */
const system: Rule = (input) => {
  const what = systemComponent(input.pod);
  return what === undefined
    ? undefined
    : unlessConfirmed(input, input.pod.name, `${what}: cutting it off may take more down than this pod`);
};

const lastReady: Rule = (input) => {
  const services = lastReadyOf(input.pod, input.services, input.pods);
  return services.length === 0 ? undefined : refuseLastReady(services, input.pod.name, input);
};

/**
 * Refuses to take the last ready replica from these Services, unless the pod or the workload that is contained was
 * confirmed by its own full name.
 */
export function refuseLastReady(
  services: readonly string[],
  name: string,
  asked: Pick<GuardInput, "confirmed" | "typed">,
): Refusal | undefined {
  const [first] = services;
  if (first === undefined) return undefined;
  const which = services.length === 1 ? `Service ${first}` : `Services ${services.join(", ")}`;
  return unlessConfirmed(asked, name, `no other replica of ${which} is ready: it would stop answering`);
}

function unlessConfirmed(
  { confirmed, typed }: Pick<GuardInput, "confirmed" | "typed">,
  name: string,
  reason: string,
): Refusal | undefined {
  if (confirmed === name) return undefined;
  return refusal(reason, `To do it all the same, confirm it by its name: /np ${typed} --confirm ${name}`);
}

/** Refuses to contain more pods at once than `most` (limits.pods); `typed` as in GuardInput. */
export function refuseCount(count: number, most: number, typed: string): Refusal | undefined {
  if (count <= most) return undefined;
  return refusal(
    `it would cut off ${count} pods at once, and ${most} is the most`,
    `Quarantine single pods, or ask an administrator to raise limits.pods in the configuration. ${overrideWords(typed)}`,
  );
}

const rules: readonly Rule[] = [
  ownNamespace,
  protectedNamespace,
  ownRedis,
  hostNetwork,
  staticPod,
  finished,
  system,
  lastReady,
];
