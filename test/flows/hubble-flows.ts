import { randomUUID } from "node:crypto";
import type { HubbleFlow } from "./relay-server.ts";

/** Milliseconds since the epoch as protobuf's Timestamp. */
export function timestamp(ms: number): HubbleFlow["time"] {
  return { seconds: String(Math.floor(ms / 1_000)), nanos: Math.floor(ms % 1_000) * 1_000_000 };
}

/** A SYN that no rule allows, from shop/web to db/pg:5432, as the drop event tells it; `more` replaces its fields. */
export function denied(ms: number, more: object = {}): HubbleFlow {
  return {
    time: timestamp(ms),
    uuid: randomUUID(),
    verdict: "DROPPED",
    drop_reason: 133,
    IP: { source: "10.244.3.30", destination: "10.244.1.9" },
    l4: { TCP: { source_port: 48_748, destination_port: 5_432, flags: { SYN: true } } },
    source: { namespace: "shop", pod_name: "web-645b68dcf7-2jmrw", workloads: [{ name: "web", kind: "Deployment" }] },
    destination: { namespace: "db", pod_name: "pg-0", workloads: [{ name: "pg", kind: "StatefulSet" }] },
    Type: "L3_L4",
    node_name: "kind-worker2",
    event_type: { type: 1, sub_type: 133 },
    traffic_direction: "EGRESS",
    drop_reason_desc: "POLICY_DENIED",
    ...more,
  };
}

/** The same traffic as it is let out to the network, or into its endpoint. */
export function forwarded(ms: number, direction: "EGRESS" | "INGRESS", more: object = {}): HubbleFlow {
  return denied(ms, {
    verdict: "FORWARDED",
    event_type: { type: 4, sub_type: direction === "EGRESS" ? 3 : 0 },
    is_reply: { value: false },
    drop_reason: undefined,
    drop_reason_desc: undefined,
    traffic_direction: direction,
    ...more,
  });
}
