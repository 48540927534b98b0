import type { NetworkPolicyPeer, NetworkPolicyPort } from "./objects.ts";

/** A place that stays reachable in quarantine, in the direction that connections are opened. */
export type Endpoint = {
  readonly name: string;
  readonly purpose: "forensics" | "monitoring" | "dns";
  /** `ingress`: it opens connections to the pod (a scraper, a debugger); `egress`: the pod opens them to it (a collector). */
  readonly direction: "ingress" | "egress";
  readonly peer: NetworkPolicyPeer;
  /** Empty means all ports. */
  readonly ports: readonly NetworkPolicyPort[];
};
