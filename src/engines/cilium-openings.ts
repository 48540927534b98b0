import type { Endpoint } from "../policy/endpoint.ts";
import { unseenKeys } from "./cilium-labels.ts";
import { numbersOf, type PortNumbers } from "./port-ranges.ts";

/** Before `Entities`, `Endpoints` and `CIDRSet`. */
export const prefixes = { ingress: "from", egress: "to" } as const;

/** An endpoint in one direction, and the ports on which it stays open. */
export type Opening = { readonly endpoint: Endpoint; readonly numbers: PortNumbers };

/** What of the endpoint Cilium's denies can leave out, and what not. */
export function openingOf(endpoint: Endpoint): {
  readonly opening: Opening | undefined;
  readonly notes: readonly string[];
} {
  const { name, peer, ports } = endpoint;
  const unseen = unseenKeys(peer.podSelector);
  if (unseen.length > 0) {
    const note = `Endpoint ${name} stays denied: policies of Cilium do not see the label ${unseen.join(", ")} of pods.`;
    return { opening: undefined, notes: [note] };
  }
  const { numbers, names } = numbersOf(ports);
  const named = `Endpoint ${name} stays denied on port ${names.join(", ")}: denies of Cilium leave out ports by number only.`;
  const block = `Endpoint ${name} is open outside the cluster only: pods and nodes in ${peer.ipBlock?.cidr} stay denied.`;
  return {
    opening: numbers.length === 0 ? undefined : { endpoint, numbers },
    notes: [...(names.length === 0 ? [] : [named]), ...(peer.ipBlock === undefined ? [] : [block])],
  };
}
