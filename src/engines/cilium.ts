import type { Endpoint } from "../policy/endpoint.ts";
import { quarantinePolicyName } from "../policy/marks.ts";
import { blockRules } from "./cilium-blocks.ts";
import { subjectSelector, unseenKeys } from "./cilium-labels.ts";
import { openingOf, prefixes } from "./cilium-openings.ts";
import { podRules } from "./cilium-pods.ts";
import type { Denial, Denies } from "./denial.ts";

/**
 * A CiliumNetworkPolicy of denies alone: a deny beats every allow of any kind, so the endpoints are left out of the denies,
 * and what allows them is the NetworkPolicy (documentation: Deny Policies; facts: network-policy §2.3). Ranges of ports need
 * Cilium 1.16 (pull request 36050); older ones drop `endPort`, which reading back shows.
 */
export function denyByCilium(denial: Denial): Denies {
  const { operation, namespace, subject, labels, annotations } = denial;
  const [ingress, egress] = [deniesIn("ingress", denial), deniesIn("egress", denial)];
  const policy = {
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name: quarantinePolicyName(operation), namespace, labels, annotations },
    spec: { endpointSelector: subjectSelector(subject), ingressDeny: ingress.rules, egressDeny: egress.rules },
  };
  return { objects: [policy], notes: [...new Set([...unseenSubject(denial), ...ingress.notes, ...egress.notes])] };
}

type Denied = { readonly rules: readonly object[]; readonly notes: readonly string[] };

function deniesIn(direction: Endpoint["direction"], { endpoints, namespace }: Denial): Denied {
  const read = endpoints.filter((each) => each.direction === direction).map(openingOf);
  const openings = read.flatMap(({ opening }) => opening ?? []);
  const blocks = openings.filter(({ endpoint }) => endpoint.peer.ipBlock !== undefined);
  const pods = podRules(
    openings.filter((each) => !blocks.includes(each)),
    { namespace, direction },
  );
  const entities = { [`${prefixes[direction]}Entities`]: entitiesOf(direction, blocks.length === 0) };
  return {
    rules: [entities, ...blockRules(blocks, `${prefixes[direction]}CIDRSet`), ...pods.rules],
    notes: [...read.flatMap(({ notes }) => notes), ...pods.notes],
  };
}

/**
 * Everything that is no pod, and the world where no ipBlock is to stay open. Not `host` on ingress: where a liveness probe
 * fails, the kubelet restarts the container, and evidence is lost. Nor `kube-apiserver` there, which is the host's too where
 * both are one node; elsewhere it is a remote node's or the world's.
 */
function entitiesOf(direction: Endpoint["direction"], world: boolean): readonly string[] {
  const own = direction === "egress" ? ["host"] : [];
  const outside = world ? ["world", ...(direction === "egress" ? ["kube-apiserver"] : [])] : [];
  return [...outside, ...own, "remote-node", "ingress", "health", "init", "unmanaged"];
}

function unseenSubject({ subject }: Denial): readonly string[] {
  const unseen = unseenKeys(subject).join(", ");
  if (unseen === "") return [];
  return [
    `Policies of Cilium do not see the label ${unseen} of pods unless configured to: its deny may select nothing.`,
  ];
}
