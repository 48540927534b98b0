import { afterEach, describe, expect, it } from "vitest";
import {
  type SandboxCluster,
  type SandboxClusterOptions,
  startSandboxCluster,
} from "../../../src/sandbox/kubernetes/cluster.ts";
import { seedObjects } from "../../../src/sandbox/kubernetes/seed.ts";
import { type Connection, connectWith, patchTypes } from "../../contract/kubernetes-connection.ts";
import { waitFor } from "../../wait.ts";

describe("the sandbox cluster", () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });
  const start = async (options: SandboxClusterOptions = {}): Promise<{ cluster: SandboxCluster; api: Connection }> => {
    const cluster = await startSandboxCluster(options);
    open.push(cluster);
    const api = await connectWith(cluster.kubeconfig);
    open.push(api);
    return { cluster, api };
  };
  const pods = "/api/v1/namespaces/payments/pods";
  const json = { "content-type": patchTypes.json };

  describe("with tokens", () => {
    const users = { "bot-token": { name: "bot", groups: ["bots"] } };
    const as = (token: string) => ({ authorization: `Bearer ${token}` });

    it("refuses an unknown token with 401 and nobody in particular with 403", async () => {
      const { api } = await start({ token: "admin-token", users });
      expect(await api.call("GET", "/api/v1/pods", undefined, as("wrong"))).toMatchObject({
        status: 401,
        body: { reason: "Unauthorized" },
      });
      const nobody = await api.call("GET", "/api/v1/pods", undefined, { authorization: "" });
      expect(nobody.status).toBe(401);
      expect((await api.call("GET", "/readyz", undefined, as("wrong"))).body).toBe("ok");
    });

    it("asks the authoriser for everything, and answers access reviews by it", async () => {
      const authorize = (user: { name: string }, { verb, namespace }: { verb: string; namespace: string }) =>
        user.name === "bot" && (verb === "get" || namespace === "payments");
      const { api } = await start({ token: "admin-token", users, authorize, objects: seedObjects() });
      const bot = as("bot-token");
      const refused = await api.call("GET", "/api/v1/namespaces/shop/pods", undefined, bot);
      expect(refused).toMatchObject({ status: 403, body: { reason: "Forbidden", details: { kind: "pods" } } });
      expect(refused.body.message).toBe(
        'pods is forbidden: User "bot" cannot list resource "pods" in API group "" in the namespace "shop"',
      );
      expect((await api.call("GET", pods, undefined, bot)).status).toBe(200);
      const review = async (namespace: string) => {
        const spec = { resourceAttributes: { verb: "patch", resource: "pods", namespace } };
        return (await api.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec }, bot)).body
          .status.allowed;
      };
      expect([await review("payments"), await review("shop")]).toEqual([true, false]);
      const self = await api.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, bot);
      expect(self.body.status.userInfo).toEqual({ username: "bot", groups: ["bots"] });
    });
  });

  describe("with roles", () => {
    const rbac = "rbac.authorization.k8s.io/v1";
    const bound = (path: string, rest: object) => {
      const [kind, name, namespace] = path.split("/");
      return { apiVersion: rbac, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, ...rest };
    };
    const account = { kind: "ServiceAccount", name: "bulkhead", namespace: "bulkhead" };
    const reading = { apiGroups: [""], resources: ["pods", "namespaces"], verbs: ["get", "list", "watch"] };
    const mine = { apiGroups: [""], resources: ["configmaps"], resourceNames: ["mine"], verbs: ["get"] };
    const to = (kind: string, name: string, subject: object) => ({ roleRef: { kind, name }, subjects: [subject] });
    const roles = [
      bound("ClusterRole/reader", { rules: [reading] }),
      bound("ClusterRole/writer", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["patch"] }] }),
      bound("Role/own/bulkhead", { rules: [mine] }),
      bound("ClusterRoleBinding/reader", to("ClusterRole", "reader", { kind: "Group", name: "bots" })),
      bound("RoleBinding/writer/payments", to("ClusterRole", "writer", { kind: "User", name: "bot" })),
      bound("RoleBinding/own/bulkhead", to("Role", "own", account)),
    ];

    it("grants what is bound, where it is bound, and nothing else", async () => {
      const users = {
        bot: { name: "bot", groups: ["bots"] },
        account: { name: "system:serviceaccount:bulkhead:bulkhead", groups: [] },
      };
      const { api } = await start({
        token: "admin-token",
        users,
        authorize: "roles",
        objects: [...seedObjects(), ...roles],
      });
      const status = async (token: string, method: string, path: string) =>
        (
          await api.call(method, path, method === "PATCH" ? [] : undefined, {
            ...json,
            authorization: `Bearer ${token}`,
          })
        ).status;
      expect(await status("bot", "GET", "/api/v1/pods")).toBe(200);
      expect(await status("bot", "GET", "/api/v1/namespaces/shop")).toBe(200);
      expect(await status("bot", "GET", "/api/v1/services")).toBe(403);
      expect(await status("bot", "PATCH", `${pods}/debug-shell`)).toBe(200);
      expect(await status("bot", "PATCH", "/api/v1/namespaces/db/pods/postgres-0")).toBe(403);
      expect(await status("bot", "DELETE", `${pods}/debug-shell`)).toBe(403);
      expect(await status("account", "GET", "/api/v1/namespaces/bulkhead/configmaps/mine")).toBe(404);
      expect(await status("account", "GET", "/api/v1/namespaces/bulkhead/configmaps/other")).toBe(403);
      expect(await status("admin-token", "GET", "/api/v1/services")).toBe(200);
    });

    it("lists a user's rules for a namespace", async () => {
      const { api } = await start({
        token: "admin-token",
        users: { bot: { name: "bot", groups: ["bots"] } },
        authorize: "roles",
        objects: [...seedObjects(), ...roles],
      });
      const spec = { namespace: "payments" };
      const { body } = await api.call(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        { spec },
        { authorization: "Bearer bot" },
      );
      expect(body.status.resourceRules.map(({ verbs }: { verbs: string[] }) => verbs)).toEqual([
        ["get", "list", "watch"],
        ["patch"],
      ]);
    });
  });

  describe("under faults", () => {
    it("answers the next matching requests with the injected status", async () => {
      const { cluster, api } = await start();
      cluster.faults.inject(
        { method: "GET", path: "/configmaps", times: 2 },
        { type: "status", code: 429, retryAfterSeconds: 3 },
      );
      const path = "/api/v1/namespaces/default/configmaps";
      const first = await api.call("GET", path);
      expect(first).toMatchObject({ status: 429, body: { reason: "TooManyRequests" } });
      expect(first.headers.get("retry-after")).toBe("3");
      expect((await api.call("GET", "/api/v1/namespaces")).status).toBe(200);
      expect([(await api.call("GET", path)).status, (await api.call("GET", path)).status]).toEqual([429, 200]);
    });

    it("cuts the connection before or after the work is done", async () => {
      const { cluster, api } = await start();
      const path = "/api/v1/namespaces/default/configmaps";
      cluster.faults.inject({ method: "POST" }, { type: "reset" });
      await expect(api.call("POST", path, { metadata: { name: "before" } })).rejects.toThrow();
      cluster.faults.inject({ method: "POST" }, { type: "lose-answer" });
      await expect(api.call("POST", path, { metadata: { name: "after" } })).rejects.toThrow();
      expect((await api.call("GET", `${path}/before`)).status).toBe(404);
      expect((await api.call("GET", `${path}/after`)).status).toBe(200);
    });

    it("drops watches, and sends bookmarks as often as it was told", async () => {
      const { cluster, api } = await start({ bookmarkEveryMs: 20 });
      const watched = await api.watch("/api/v1/namespaces?watch=1&resourceVersion=1&allowWatchBookmarks=true");
      await waitFor(() => watched.events.some(({ type }) => type === "BOOKMARK"));
      expect(cluster.faults.dropWatches()).toBe(1);
      await waitFor(() => watched.state.ended);
    });
  });

  describe("a ReplicaSet with one pod too many", () => {
    const relabel = (api: Connection, name: string, value: object) =>
      api.call("PATCH", `${pods}/${name}`, [{ op: "replace", path: "/metadata/labels", value }], json);
    const names = (cluster: SandboxCluster) =>
      cluster
        .objects("Pod", "payments")
        .filter(({ metadata }) => metadata.name.startsWith("checkout-"))
        .map(({ metadata }) => metadata.name);
    const released = async (clock: { now: number }) => {
      const { cluster, api } = await start({ objects: seedObjects(), now: () => clock.now });
      const before = names(cluster);
      const [victim = ""] = before;
      const { body } = await api.call("GET", `${pods}/${victim}`);
      clock.now += 3_600_000;
      await relabel(api, victim, { quarantine: "q-1" });
      await waitFor(() => names(cluster).length === 4);
      const replacement = names(cluster).find((name) => !before.includes(name)) ?? "";
      clock.now += 60_000;
      return { cluster, api, victim, replacement, labels: body.metadata.labels as object };
    };

    it("deletes the youngest when the old pod comes back", async () => {
      const { cluster, api, victim, replacement, labels } = await released({ now: Date.parse("2026-11-21T00:00:00Z") });
      await relabel(api, victim, labels);
      await waitFor(() => names(cluster).length === 3);
      expect(names(cluster)).toContain(victim);
      expect(names(cluster)).not.toContain(replacement);
    });

    it("deletes the pod with the lowest pod-deletion-cost before it looks at ages", async () => {
      const { cluster, api, victim, replacement, labels } = await released({ now: Date.parse("2026-11-21T00:00:00Z") });
      const annotation = { "controller.kubernetes.io/pod-deletion-cost": "-100" };
      await api.call(
        "PATCH",
        `${pods}/${victim}`,
        { metadata: { annotations: annotation } },
        { "content-type": patchTypes.merge },
      );
      await relabel(api, victim, labels);
      await waitFor(() => names(cluster).length === 3);
      expect(names(cluster)).toContain(replacement);
      expect(names(cluster)).not.toContain(victim);
    });

    it("deletes an adopted pod at once when the rollout has gone on", async () => {
      const { cluster, api, victim, labels } = await released({ now: Date.parse("2026-11-21T00:00:00Z") });
      const spec = {
        template: { spec: { containers: [{ name: "checkout", image: "registry.example/checkout:5.0.0" }] } },
      };
      await api.call(
        "PATCH",
        "/apis/apps/v1/namespaces/payments/deployments/checkout",
        { spec },
        { "content-type": patchTypes.strategic },
      );
      await waitFor(() => names(cluster).length === 4 && cluster.objects("ReplicaSet", "payments").length === 3);
      await relabel(api, victim, labels);
      await waitFor(() => !names(cluster).includes(victim));
      expect(names(cluster)).toHaveLength(3);
    });
  });

  it("stalls a StatefulSet's rollout while a released pod holds the first name", async () => {
    const { cluster, api } = await start({ objects: seedObjects() });
    const path = "/api/v1/namespaces/db/pods";
    await api.call(
      "PATCH",
      `${path}/postgres-0`,
      [{ op: "replace", path: "/metadata/labels", value: { quarantine: "q" } }],
      json,
    );
    await api.call("DELETE", `${path}/postgres-1`);
    await waitFor(() => cluster.objects("Pod", "db").length === 2);
    const settled = await api.call("GET", path);
    expect(settled.body.items.map((pod: { metadata: { name: string } }) => pod.metadata.name)).toEqual([
      "postgres-0",
      "postgres-2",
    ]);
  });

  it("lists 10 000 pods, and one of them by label", { timeout: 60_000 }, async () => {
    const pod = (index: number) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: `pod-${index}`,
        namespace: `team-${index % 100}`,
        labels: { app: "many", number: String(index) },
      },
      spec: { containers: [{ name: "main", image: "registry.example/main:1" }] },
    });
    const namespaces = Array.from({ length: 100 }, (_, index) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: `team-${index}` },
    }));
    const { api } = await start({
      objects: [...seedObjects(), ...namespaces, ...Array.from({ length: 10_000 }, (_, index) => pod(index))],
    });
    const all = await api.call("GET", "/api/v1/pods");
    expect(all.body.items.length).toBeGreaterThan(10_000);
    expect(
      all.body.items.filter((each: { status: { phase: string } }) => each.status.phase === "Running"),
    ).toHaveLength(all.body.items.length);
    const selected = await api.call("GET", "/api/v1/pods?labelSelector=number%3D77");
    expect(selected.body.items).toHaveLength(1);
  });

  it("answers protobuf bodies that it cannot read with 415 and says so", async () => {
    const { api } = await start();
    const reply = await api.call("POST", "/api/v1/namespaces/default/configmaps", "k8s\0", {
      "content-type": "application/vnd.kubernetes.protobuf",
    });
    expect(reply.status).toBe(415);
    expect(reply.body.message).toContain("not supported by the sandbox");
  });
});
