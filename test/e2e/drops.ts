/** Packets that a workload of `shop` was not let in with, as Hubble's exporter writes their drops. */
export type Drops = {
  readonly count: number;
  /** Ids begin there: an id that came before counts no more. */
  readonly from: number;
  readonly to: { readonly namespace: string; readonly workload: string; readonly port: number };
  /** When, milliseconds since the epoch. */
  readonly atMs: number;
};

/** As lines of JSON. */
export function linesOf({ count, from, to, atMs }: Drops): string {
  const time = new Date(atMs).toISOString();
  const pod = (namespace: string, workload: string, kind: string) => ({
    namespace,
    // None of the sandbox's own: they have just started, and what is denied then is only counted.
    pod_name: `${workload}-x`,
    workloads: [{ name: workload, kind }],
  });
  const line = (nth: number) => ({
    flow: {
      time,
      uuid: `drop-${from + nth}`,
      verdict: "DROPPED",
      drop_reason_desc: "POLICY_DENIED",
      IP: { source: "10.1.1.1", destination: "10.1.1.2", ipVersion: "IPv4" },
      l4: { TCP: { source_port: 40_000 + nth, destination_port: to.port, flags: { SYN: true } } },
      source: pod("shop", "frontend", "Deployment"),
      destination: pod(to.namespace, to.workload, "StatefulSet"),
      Type: "L3_L4",
      node_name: "node-1",
      event_type: { type: 1, sub_type: 133 },
      traffic_direction: "INGRESS",
      is_reply: false,
    },
    node_name: "node-1",
    time,
  });
  return Array.from({ length: count }, (_, nth) => JSON.stringify(line(nth))).join("\n");
}
