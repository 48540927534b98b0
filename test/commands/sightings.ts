import type { FlowRecord } from "../../src/flows/record.ts";
import type { Sighting } from "../../src/flows/sighting.ts";

/** A pod of payments, as a flow has it. */
export type SightedPod = { readonly name: string; readonly uid: string; readonly address: string };

/** A new connection of the pod to the world on TCP 443, in a sandbox that Hubble looks at. */
export function sightingOf(
  { name, uid, address }: SightedPod,
  verdict: FlowRecord["verdict"]["kind"],
  { fromMs, ...changes }: Partial<FlowRecord> & { readonly fromMs: number },
): Sighting {
  const end = { namespace: undefined, pod: undefined, workload: undefined, names: [], entity: undefined };
  const said = verdict === "forwarded" ? { kind: verdict } : { kind: verdict, reason: "no-rule" };
  return {
    cluster: "sandbox",
    record: {
      format: "hubble",
      id: undefined,
      verdict: said as FlowRecord["verdict"],
      from: { ...end, address, namespace: "payments", pod: name },
      to: { ...end, address: "203.0.113.9", entity: "world" },
      protocol: "TCP",
      fromPort: 40_000,
      toPort: 443,
      direction: "egress",
      isReply: false,
      isNew: true,
      fromMs,
      toMs: fromMs,
      count: 1,
      unit: "events",
      atLeast: false,
      policies: [],
      node: undefined,
      dnsQuery: undefined,
      ...changes,
    },
    from: { kind: "workload", namespace: "payments", of: "Pod", name },
    to: { kind: "range", cidr: "203.0.113.0/24" },
    fromPod: { namespace: "payments", name, uid },
    toPod: undefined,
    aheadMs: 0,
    key: undefined,
  };
}
