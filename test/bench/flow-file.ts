import { once } from "node:events";
import { createWriteStream } from "node:fs";

/** Who is denied what in the file, the first the most often. */
export const places = 400;

type Pair = { readonly from: string; readonly to: string; readonly port: number };

/**
 * One line of Hubble's export file, as big as real ones (facts: denied-flows §1): of ten, six are forwarded, and four the two
 * flows of two denied packets. Which pair they are about follows Zipf's law, `nth` after `nth`, the same in every run.
 */
export function exportLine(nth: number, startMs: number): string {
  const packet = Math.floor(nth / 10) * 2 + (nth % 10 >= 8 ? 1 : 0);
  const time = new Date(startMs + nth).toISOString().replace("Z", "123456Z");
  const kind = nth % 10;
  if (kind < 6) return line(pairOf(nth), { nth, time, ...forwarded });
  return line(pairOf(packet), { nth: packet, time, ...(kind % 2 === 0 ? verdictFlow : dropFlow) });
}

/** So many lines; returns how many packets were denied. */
export async function writeExport(path: string, lines: number, startMs: number): Promise<number> {
  const file = createWriteStream(path);
  for (let nth = 0; nth < lines; nth += 1_000) {
    const some = Array.from({ length: Math.min(1_000, lines - nth) }, (_, offset) => exportLine(nth + offset, startMs));
    if (!file.write(`${some.join("\n")}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
  return Math.floor(lines / 10) * 2;
}

const forwarded = { verdict: "FORWARDED", event: { type: 4, sub_type: 3 }, why: {} };
const denied = { drop_reason: 133, drop_reason_desc: "POLICY_DENIED" };
const verdictFlow = { verdict: "DROPPED", event: { type: 5 }, why: denied };
const dropFlow = { verdict: "DROPPED", event: { type: 1, sub_type: 133 }, why: denied };

function pairOf(nth: number): Pair {
  // Golden-ratio steps fall evenly into [0, 1); the power makes the first pairs the most frequent.
  const even = (nth * 0.618_033_988_749_894_9) % 1;
  const rank = Math.floor(places ** even) - 1;
  return { from: `web-${rank % 40}`, to: `db-${Math.floor(rank / 4) % 25}`, port: 5_000 + (rank % 16) };
}

type Told = {
  readonly nth: number;
  readonly time: string;
  readonly verdict: string;
  readonly event: object;
  readonly why: object;
};

function line({ from, to, port }: Pair, { nth, time, verdict, event, why }: Told): string {
  return JSON.stringify({
    flow: {
      time,
      uuid: `${verdict}-${JSON.stringify(event).length}-${nth}`,
      verdict,
      ...why,
      ethernet: { source: "92:34:10:65:b5:ee", destination: "c2:3c:0f:7f:7d:73" },
      IP: { source: `10.244.3.${nth % 250}`, destination: "10.244.7.9", ipVersion: "IPv4" },
      l4: { TCP: { source_port: 32_768 + (nth % 20_000), destination_port: port, flags: { SYN: true } } },
      source: endpoint("shop", from, nth),
      destination: endpoint("data", to, nth),
      Type: "L3_L4",
      node_name: "kind-worker2",
      node_labels: ["kubernetes.io/arch=amd64", "kubernetes.io/hostname=kind-worker2", "kubernetes.io/os=linux"],
      event_type: event,
      traffic_direction: "EGRESS",
      is_reply: false,
      Summary: "TCP Flags: SYN",
    },
    node_name: "kind-worker2",
    time,
  });
}

function endpoint(namespace: string, workload: string, nth: number): object {
  return {
    ID: 1_238,
    identity: 24_009,
    cluster_name: "default",
    namespace,
    labels: [
      `k8s:app=${workload}`,
      `k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=${namespace}`,
      "k8s:io.cilium.k8s.policy.cluster=default",
      "k8s:io.cilium.k8s.policy.serviceaccount=default",
      `k8s:io.kubernetes.pod.namespace=${namespace}`,
    ],
    pod_name: `${workload}-645b68dcf7-${(nth % 5) + 10}jmr`,
    workloads: [{ name: workload, kind: "Deployment" }],
  };
}
