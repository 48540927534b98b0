import { Agent } from "undici";
import type { Credentials } from "../../src/kubernetes/credentials.ts";
import type { QuarantinePlan } from "../../src/policy/plan.ts";

/** The writes of a quarantine and nothing else, one after the other over one agent that keeps its connection. */
export type BareWrites = {
  /** Rejects where one of them is refused. */
  write(plan: QuarantinePlan): Promise<void>;
  close(): Promise<void>;
};

export function createBareWrites({ server, headers, tls }: Credentials): BareWrites {
  const given = Object.entries(tls).filter(([, value]) => value !== undefined);
  const agent = new Agent({ allowH2: false, keepAliveTimeout: 30_000, connect: Object.fromEntries(given) });
  const { origin, pathname } = new URL(server);
  const send = async (method: "POST" | "PATCH", path: string, contentType: string, body: unknown): Promise<void> => {
    const response = await agent.request({
      origin,
      path: `${pathname === "/" ? "" : pathname}${path}`,
      method,
      headers: { ...headers, accept: "application/json", "content-type": contentType },
      body: JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
  };
  return {
    async write({ policy, target: { namespace, pod }, label, strip }) {
      const podPath = `/api/v1/namespaces/${namespace}/pods/${pod}`;
      const policies = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
      await send("POST", policies, "application/json", policy);
      await send("PATCH", podPath, "application/json-patch+json", label);
      await send("PATCH", podPath, "application/json-patch+json", strip);
    },
    close: () => agent.close(),
  };
}
