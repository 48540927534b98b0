import { createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { allowanceObjectName } from "../../src/policy/allowance.ts";
import type { Manifest } from "../../src/policy/manifest.ts";
import { marks } from "../../src/policy/marks.ts";
import { startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";

type Asked = {
  readonly operation?: string;
  readonly namespace?: string;
  readonly ttlSeconds?: number;
  readonly maxSeconds?: number;
  readonly index?: number;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly finalizers?: string[];
};

/** An object of an allowance as Bulkhead writes it. */
export function allowanceObject(asked: Asked = {}): Manifest {
  const { operation = "a-7f3kd2m", namespace = "payments", ttlSeconds = 60, maxSeconds = 600, index = 0 } = asked;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: allowanceObjectName({ operation, ttlSeconds, maxSeconds, index }),
      namespace,
      labels: asked.labels ?? { [marks.operation]: operation, [marks.kind]: "allowance" },
      annotations: asked.annotations ?? {
        [marks.ttlSeconds]: String(ttlSeconds),
        [marks.principal]: "slack:T1/U1",
        [marks.reason]: "the database fails over",
        [marks.template]: "allow-dns@1",
        [marks.parameters]: "{}",
      },
      ...(asked.finalizers === undefined ? {} : { finalizers: asked.finalizers }),
    },
    spec: { podSelector: { matchLabels: { app: "checkout" } }, policyTypes: ["Egress"], egress: [{}] },
  };
}

/** A sandbox cluster whose clock the test moves, and a client of it whose monotonic clock moves with it. */
export async function startTimedCluster(options: { readonly name?: string; readonly watch?: boolean } = {}) {
  const { name = "sandbox", watch = false } = options;
  let passedMs = 0;
  const started = Date.now();
  const now = () => Date.now() + passedMs;
  const sandbox = await startSandboxCluster({ now, controllers: false });
  const namespaces = ["payments", "shop", "bulkhead"].map((each) => ({ metadata: { name: each } }));
  sandbox.apply(...namespaces.map((each) => ({ apiVersion: "v1", kind: "Namespace", ...each })));
  const source = { kind: "text", text: sandbox.kubeconfig } as const;
  const monotonic = () => performance.now() + passedMs;
  const connection = createConnection({ source, now: Date.now, monotonic, cluster: name });
  const cluster = await createCluster(name, connection, { now: Date.now, watch });
  return {
    sandbox,
    connection,
    cluster,
    started,
    now,
    pass: (ms: number) => void (passedMs += ms),
    policies: () => sandbox.objects("NetworkPolicy").map(({ metadata }) => metadata.name),
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await sandbox.close();
    },
  };
}
