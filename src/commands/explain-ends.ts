import { type Refusal, refusal } from "../policy/guard.ts";
import type { Pod } from "../policy/objects.ts";
import { parseAddress } from "../simulator/addresses.ts";
import type { Endpoint } from "../simulator/decide.ts";
import { whyNobodys } from "../simulator/outside.ts";
import type { End } from "./command.ts";
import { resolveName } from "./explain-names.ts";
import { type Looking, memberOf, type Side, throughService } from "./explain-sides.ts";
import { hasNetwork } from "./simulated.ts";

/** The end as pods, a node or an address outside; a refusal says what is there instead. */
export function resolveEnd(looking: Looking, end: End): Side | Refusal {
  if (end.kind === "named") return resolveName(looking, end);
  const nobodys = whyNobodys(end.address);
  return nobodys === undefined
    ? resolveAddress(looking, end.address)
    : refusal(nobodys, "Name a pod, a workload, a Service or another address.");
}

/** The pod, the node or the Service of that address where the person may look; else it is taken to be outside. */
function resolveAddress({ facts, sees, arrival }: Looking, address: string): Side | Refusal {
  const seen = facts.pods.filter((pod) => sees(pod.namespace) && hasNetwork(pod));
  const pod = seen.find(({ hostNetwork, podIPs }) => !hostNetwork && podIPs.some((ip) => same(ip, address)));
  const simulated = facts.snapshot.pods.find((one) => one.namespace === pod?.namespace && one.name === pod.name);
  const port = arrival?.port ?? 0;
  if (simulated !== undefined) {
    const name = `${simulated.namespace}/${simulated.name}`;
    return { label: address, members: [memberOf(simulated, port)], words: `${address} is the address of pod ${name}.` };
  }
  const node = seen.find((one) => isOfNode(one, address));
  if (node !== undefined) {
    const endpoint: Endpoint = { kind: "node", name: node.nodeName, addresses: [address] };
    return {
      label: address,
      members: [{ name: address, endpoint, port }],
      words: `${address} is the address of a node.`,
    };
  }
  return serviceOf({ facts, sees, arrival }, address) ?? outside(address, port);
}

function isOfNode({ hostIP, hostNetwork, podIPs }: Pod, address: string): boolean {
  return [...(hostIP === undefined ? [] : [hostIP]), ...(hostNetwork ? podIPs : [])].some((ip) => same(ip, address));
}

function serviceOf({ facts, sees, arrival }: Looking, address: string): Side | Refusal | undefined {
  const service = facts.services.find(
    ({ namespace, clusterIPs }) => sees(namespace) && clusterIPs.some((ip) => same(ip, address)),
  );
  if (service === undefined || arrival === undefined) return undefined;
  const found = throughService(facts, service, arrival);
  return "members" in found ? { ...found, words: `${address} is the address of a Service. ${found.words}` } : found;
}

function outside(address: string, port: number): Side {
  const endpoint: Endpoint = { kind: "external", address };
  const words = `${address} is taken to be outside of the cluster: nothing that you may see there has this address.`;
  return { label: address, members: [{ name: address, endpoint, port }], words };
}

function same(a: string, b: string): boolean {
  const [one, other] = [parseAddress(a), parseAddress(b)];
  return one !== undefined && one.family === other?.family && one.value === other.value;
}
