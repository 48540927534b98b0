import { afterAll, beforeAll, describe } from "vitest";
import { type Connection, freshName } from "./kubernetes-connection.ts";
import { controllerContract } from "./kubernetes-controllers.ts";
import type { Suite } from "./kubernetes-fixtures.ts";
import { historyContract } from "./kubernetes-histories.ts";
import { objectContract } from "./kubernetes-objects.ts";
import { patchContract } from "./kubernetes-patches.ts";
import { strictnessContract } from "./kubernetes-strictness.ts";
import { watchContract } from "./kubernetes-watches.ts";

/**
 * What Bulkhead relies on of an API server. `connect` gives a connection to a cluster with at least one node that runs
 * pods; the suite works in a namespace that it makes and deletes.
 */
export function kubernetesApiContract(name: string, connect: () => Promise<Connection>): void {
  describe(`${name} as a Kubernetes API`, () => {
    let suite: Suite;
    beforeAll(async () => {
      const api = await connect();
      const namespace = freshName("contract");
      await api.call("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
      const policies = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
      suite = { api, namespace, policies, pods: `/api/v1/namespaces/${namespace}/pods` };
    });
    afterAll(async () => {
      await suite.api.call("DELETE", `/api/v1/namespaces/${suite.namespace}`);
      await suite.api.close();
    });
    const current = (): Suite => suite;
    objectContract(current);
    patchContract(current);
    strictnessContract(current);
    watchContract(current);
    historyContract(current);
    controllerContract(current);
  });
}
