import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AnyPolicy, createAnyPolicy } from "../../src/kubernetes/any-policy.ts";
import type { Connection } from "../../src/kubernetes/connection.ts";
import { isNamespaceTerminating } from "../../src/kubernetes/failure.ts";
import { marks } from "../../src/policy/marks.ts";
import { type Image, imageOf, type RawPolicy } from "../../src/policy/revision.ts";
import { waitFor } from "../wait.ts";
import { freshName } from "./kubernetes-connection.ts";

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** What a rollback relies on of `createAnyPolicy` over a real API server, and over the sandbox's. */
export function anyPolicyContract(name: string, connect: () => Connection): void {
  describe(`policies of any API in ${name}`, () => {
    const namespace = freshName("any-policy");
    let connection: Connection;
    let policies: AnyPolicy;
    beforeAll(async () => {
      connection = connect();
      policies = createAnyPolicy(connection);
      await connection.request("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace } } });
    });
    afterAll(async () => {
      await connection.request("DELETE", `/api/v1/namespaces/${namespace}`);
      await connection.close();
    });

    const policy = (of: string, port: number, annotations: Record<string, string> = {}): Image => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: of, namespace, labels: { app: "web" }, annotations: { [lastApplied]: "{}", ...annotations } },
      spec: {
        podSelector: {},
        policyTypes: ["Ingress"],
        ingress: [{ from: [{ podSelector: {} }], ports: [{ protocol: "TCP", port }] }],
      },
    });
    const versionOf = ({ metadata: { uid, resourceVersion } }: RawPolicy) => ({ uid, resourceVersion });
    const create = async (of: string, port = 80): Promise<RawPolicy> => {
      const { kind, object } = await policies.create(policy(of, port));
      expect(kind).toBe("created");
      return object;
    };

    it("makes, reads, replaces and deletes a policy, its image exact to kubectl's own copy of it", async () => {
      const first = await create("whole");
      expect(imageOf(first)).toEqual(policy("whole", 80));
      expect(await policies.read(first)).toEqual(first);
      expect(first.metadata.managedFields).toMatchObject([{ manager: "bulkhead", operation: "Update" }]);
      const next = policy("whole", 81, { [marks.undo]: "u-1" });
      const replaced = await policies.replace(next, versionOf(first));
      if (replaced.kind !== "replaced") throw new Error(replaced.kind);
      expect(imageOf(replaced.object)).toEqual(policy("whole", 81));
      expect(replaced.object.metadata).toMatchObject({ uid: first.metadata.uid, generation: 2 });
      expect(replaced.object.metadata.annotations?.[marks.undo]).toBe("u-1");
      expect(await policies.delete(first, versionOf(replaced.object))).toEqual({ kind: "deleted" });
      expect(await policies.read(first)).toBeUndefined();
      expect(await policies.delete(first, versionOf(replaced.object))).toEqual({ kind: "gone" });
      expect(await policies.replace(next, versionOf(first))).toEqual({ kind: "gone" });
    });

    it("takes back labels and annotations that the earlier form did not have", async () => {
      const first = await create("bare");
      const { labels: _, annotations: _a, ...metadata } = policy("bare", 80).metadata;
      const replaced = await policies.replace({ ...policy("bare", 80), metadata }, versionOf(first));
      expect(replaced.kind === "replaced" && imageOf(replaced.object).metadata).toEqual({ name: "bare", namespace });
    });

    it("stores nothing in a dry run, and answers as it would", async () => {
      const dryRun = { dryRun: true };
      expect(imageOf((await policies.create(policy("dry", 80), dryRun)).object)).toEqual(policy("dry", 80));
      expect(await policies.read(policy("dry", 80))).toBeUndefined();
      const first = await create("dry");
      await expect(policies.create(policy("dry", 80), dryRun)).resolves.toMatchObject({ kind: "exists" });
      const replaced = await policies.replace(policy("dry", 81), versionOf(first), dryRun);
      expect(replaced.kind === "replaced" && imageOf(replaced.object)).toEqual(policy("dry", 81));
      expect(await policies.delete(first, versionOf(first), dryRun)).toEqual({ kind: "deleted" });
      const stale = { ...versionOf(first), resourceVersion: "1" };
      expect(await policies.replace(policy("dry", 81), stale, dryRun)).toEqual({ kind: "conflict" });
      expect(await policies.delete(first, stale, dryRun)).toEqual({ kind: "conflict" });
      expect(await policies.read(first)).toEqual(first);
    });

    it("changes nothing that is not the version it was told, nor what was made again under the name", async () => {
      const first = await create("moved");
      await policies.replace(policy("moved", 81), versionOf(first));
      expect(await policies.replace(policy("moved", 82), versionOf(first))).toEqual({ kind: "conflict" });
      expect(await policies.delete(first, versionOf(first))).toEqual({ kind: "conflict" });
      const current = await policies.read(first);
      await policies.delete(first, versionOf(current!));
      const again = await create("moved", 83);
      const mixed = { uid: first.metadata.uid, resourceVersion: again.metadata.resourceVersion };
      expect(await policies.replace(policy("moved", 84), mixed)).toEqual({ kind: "conflict" });
      expect(await policies.delete(first, mixed)).toEqual({ kind: "conflict" });
      expect(await policies.create(policy("moved", 85))).toEqual({ kind: "exists", object: again });
    });

    it("throws what validation refuses, in a dry run as well", async () => {
      const first = await create("invalid");
      const invalid = policy("invalid", 70_000);
      for (const dryRun of [true, false])
        await expect(policies.replace(invalid, versionOf(first), { dryRun })).rejects.toMatchObject({ code: 422 });
      await expect(policies.create(policy("other", 70_000), { dryRun: true })).rejects.toMatchObject({ code: 422 });
      expect(await policies.read(first)).toEqual(first);
    });

    it("makes it known that a namespace is being deleted", async () => {
      const gone = freshName("gone");
      const path = `/api/v1/namespaces/${gone}`;
      await connection.request("POST", "/api/v1/namespaces", { body: { metadata: { name: gone } } });
      const held = { metadata: { name: "held", finalizers: ["bulkhead.dev/test"] } };
      await connection.request("POST", `${path}/configmaps`, { body: held });
      await connection.request("DELETE", path);
      const late = { ...policy("late", 80), metadata: { name: "late", namespace: gone } };
      const refused = await waitFor(() =>
        policies.create(late, { dryRun: true }).then(
          () => undefined,
          (error) => error,
        ),
      );
      expect(isNamespaceTerminating(refused)).toBe(true);
      await connection.request("PATCH", `${path}/configmaps/held`, {
        body: { metadata: { finalizers: null } },
        contentType: "application/merge-patch+json",
      });
    });

    it("knows which owners are there, by uid, and says nothing of kinds that are not served", async () => {
      const maps = `/api/v1/namespaces/${namespace}/configmaps`;
      const map = (await connection.request("POST", maps, { body: { metadata: { name: "owner" } } })) as RawPolicy;
      const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: map.metadata.uid };
      expect(await policies.ownerExists(owner, namespace)).toBe(true);
      expect(await policies.ownerExists({ ...owner, uid: "another" }, namespace)).toBe(false);
      expect(await policies.ownerExists({ ...owner, name: "none" }, namespace)).toBe(false);
      expect(await policies.ownerExists(owner, undefined)).toBe(false);
      const space = (await connection.request("GET", `/api/v1/namespaces/${namespace}`)) as RawPolicy;
      const cluster = { apiVersion: "v1", kind: "Namespace", name: namespace, uid: space.metadata.uid };
      expect(await policies.ownerExists(cluster, namespace)).toBe(true);
      expect(await policies.ownerExists({ ...owner, kind: "Nothing" }, namespace)).toBeUndefined();
      expect(await policies.ownerExists({ ...owner, apiVersion: "none.example/v1" }, namespace)).toBeUndefined();
    });

    it("writes no kind that is no policy, and says where one is not served", async () => {
      const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", namespace }, spec: {} };
      await expect(policies.read(map)).rejects.toThrow("v1 ConfigMap is no kind of policy");
      const cilium = { ...map, apiVersion: "cilium.io/v9", kind: "CiliumNetworkPolicy" };
      await expect(policies.create(cilium)).rejects.toMatchObject({
        kind: "not-found",
        message: "the cluster does not serve cilium.io/v9 CiliumNetworkPolicy",
      });
    });
  });
}
