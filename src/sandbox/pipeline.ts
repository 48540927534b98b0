import { createConnection } from "../kubernetes/connection.ts";
import type { SandboxCluster } from "./kubernetes/cluster.ts";

/** The first request of a process loads the client, for which a busy machine takes longer than the bot waits for an answer. */
const patienceMs = 30_000;

/**
 * What a pipeline does to the policy that lets the ledger reach its database: it applies a new version of it (server-side, as
 * `ci-pipeline`) with a mistyped port. Throws where the policy is not there.
 */
export async function applyMistake(cluster: SandboxCluster): Promise<void> {
  const source = { kind: "text", text: cluster.kubeconfig } as const;
  const connection = createConnection({ source, now: Date.now, timeoutMs: patienceMs });
  try {
    const path = "/apis/networking.k8s.io/v1/namespaces/db/networkpolicies/allow-postgres";
    await connection.request("PATCH", path, {
      query: { fieldManager: "ci-pipeline", force: "true" },
      contentType: "application/apply-patch+yaml",
      body: mistaken(await connection.request("GET", path)),
    });
  } finally {
    await connection.close();
  }
}

type Rule = { readonly from?: readonly { readonly namespaceSelector?: unknown }[]; readonly ports?: unknown };
type Policy = { readonly spec: { readonly ingress?: readonly Rule[] } };

/** As a pipeline has it in its files: nothing of what the server sets. */
function mistaken(stored: unknown): object {
  const { spec } = stored as Policy;
  const ingress = (spec.ingress ?? []).map((rule) => {
    const isOfOthers = rule.from?.some(({ namespaceSelector }) => namespaceSelector !== undefined) === true;
    return isOfOthers ? { ...rule, ports: [{ protocol: "TCP", port: 5433 }] } : rule;
  });
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "allow-postgres", namespace: "db" },
    spec: { ...spec, ingress },
  };
}
