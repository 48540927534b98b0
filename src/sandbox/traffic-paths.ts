import type { Pod } from "../policy/objects.ts";

/** Who connects to whom in the sandbox. */
export type TrafficPath = {
  readonly from: Client;
  readonly to: Server;
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
  /** One in so many turns. */
  readonly every: number;
  /** Whether it tries less often once it was denied for half a minute, as clients with a growing pause do. */
  readonly backsOff?: boolean;
};

/** Programs go on whatever happens to their pods' labels: they are known by what their pods' names begin with. */
type Client = { readonly namespace: string; readonly prefix: string };

/** Of a Service's pods by their labels; `each` is a scraper's way, which goes to pods whatever their labels are. */
type Server =
  | { readonly kind: "service"; readonly namespace: string; readonly app: string }
  | { readonly kind: "each"; readonly namespace: string; readonly prefix: string }
  | { readonly kind: "outside"; readonly address: string };

/** What the sandbox's programs do all the time (kubernetes/seed.ts says what policies let them). */
export const trafficPaths: readonly TrafficPath[] = [
  path("shop/frontend-", service("shop", "cart"), 8081),
  path("shop/frontend-", service("shop", "search"), 9200),
  path("shop/frontend-", service("payments", "checkout"), 8080),
  path("shop/frontend-", { kind: "outside", address: "198.51.100.66" }, 443, { every: 3 }),
  path("shop/frontend-", service("kube-system", "coredns"), 53, { protocol: "UDP" }),
  path("payments/checkout-", service("payments", "ledger"), 9000),
  path("payments/checkout-", { kind: "outside", address: "203.0.113.10" }, 443),
  path("payments/checkout-", { kind: "outside", address: "198.51.100.7" }, 443, { every: 4 }),
  path("payments/checkout-", service("kube-system", "coredns"), 53, { protocol: "UDP" }),
  path("payments/ledger-", service("db", "postgres"), 5432, { backsOff: true }),
  path("payments/debug-shell", service("db", "postgres"), 5432, { every: 5 }),
  path("monitoring/prometheus-", { kind: "each", namespace: "shop", prefix: "frontend-" }, 9102, { every: 2 }),
  path("monitoring/prometheus-", { kind: "each", namespace: "payments", prefix: "checkout-" }, 9102, { every: 2 }),
];

/** The pods that it is from, and those that it may be to; no pods where it is to an address. */
export function endsOfPath({ from, to }: TrafficPath, pods: readonly Pod[]): readonly [readonly Pod[], readonly Pod[]] {
  return [pods.filter((pod) => isOf(pod, from)), pods.filter((pod) => isServer(pod, to))];
}

function isServer(pod: Pod, to: Server): boolean {
  if (to.kind === "each") return isOf(pod, to);
  return to.kind === "service" && pod.namespace === to.namespace && pod.labels["app"] === to.app;
}

function isOf({ namespace, name }: Pod, client: Client): boolean {
  return namespace === client.namespace && name.startsWith(client.prefix);
}

type More = { readonly protocol?: "TCP" | "UDP"; readonly every?: number; readonly backsOff?: boolean };

function path(
  client: string,
  to: Server,
  port: number,
  { protocol = "TCP", every = 1, backsOff = false }: More = {},
): TrafficPath {
  const [namespace = "", prefix = ""] = client.split("/");
  return { from: { namespace, prefix }, to, protocol, port, every, backsOff };
}

function service(namespace: string, app: string): Server {
  return { kind: "service", namespace, app };
}
