import { describe, expect, it } from "vitest";
import { waitFor } from "../wait.ts";
import { freshName, patchTypes, type Reply } from "./kubernetes-connection.ts";
import { type Suite, template } from "./kubernetes-fixtures.ts";

const slowly = { timeoutMs: 30_000, everyMs: 100 };

/** What controllers do with a pod that is relabelled, and when it comes back. */
export function controllerContract(suite: () => Suite): void {
  const list = async (labels: string): Promise<Reply["body"][]> =>
    (await suite().api.call("GET", `${suite().pods}?labelSelector=${encodeURIComponent(labels)}`)).body.items;
  const isReady = (pod: Reply["body"]) =>
    pod.metadata.deletionTimestamp === undefined &&
    pod.status.conditions?.some(
      (each: { type: string; status: string }) => each.type === "Ready" && each.status === "True",
    );
  const exactly = async (count: number, find: () => Promise<Reply["body"][]>): Promise<Reply["body"][]> => {
    const pods = await waitFor(async () => {
      const found = await find();
      return found.length === count ? found : undefined;
    }, slowly);
    return pods ?? [];
  };
  const ready = (labels: string, count: number) => exactly(count, async () => (await list(labels)).filter(isReady));
  const create = (group: string, plural: string, name: string, spec: object) =>
    suite().api.call("POST", `/apis/${group}/namespaces/${suite().namespace}/${plural}`, { metadata: { name }, spec });
  const relabel = async (pod: Reply["body"], labels: object) => {
    const patch = [
      { op: "test", path: "/metadata/uid", value: pod.metadata.uid },
      { op: "replace", path: "/metadata/labels", value: labels },
    ];
    const reply = await suite().api.call("PATCH", `${suite().pods}/${pod.metadata.name}`, patch, {
      "content-type": patchTypes.json,
    });
    expect(reply.status).toBe(200);
    return reply.body;
  };
  const get = async (pod: Reply["body"]) =>
    (await suite().api.call("GET", `${suite().pods}/${pod.metadata.name}`)).body;
  const owners = (pod: Reply["body"]) =>
    (pod.metadata.ownerReferences ?? []).map((owner: { kind: string }) => owner.kind);

  it("runs a Deployment's pods through a ReplicaSet, replaces one that was relabelled, and takes it back", async () => {
    const app = freshName("web");
    await create("apps/v1", "deployments", app, {
      replicas: 2,
      selector: { matchLabels: { app } },
      template: template({ app }),
    });
    const before = await ready(`app=${app}`, 2);
    expect(owners(before[0])).toEqual(["ReplicaSet"]);
    expect(before[0].metadata.labels["pod-template-hash"]).toBeDefined();
    const labels = before[0].metadata.labels;
    await relabel(before[0], { quarantine: "q-1" });
    const after = await ready(`app=${app}`, 2);
    expect(after.map(({ metadata }) => metadata.name)).not.toContain(before[0].metadata.name);
    await waitFor(async () => owners(await get(before[0])).length === 0, slowly);
    await relabel(before[0], labels);
    await ready(`app=${app}`, 2);
    await waitFor(async () => (await list(`app=${app}`)).length === 2, slowly);
  });

  it("keeps a pod's address out of its Service while its labels are gone", async () => {
    const { api, namespace } = suite();
    const app = freshName("svc");
    const spec = { selector: { app }, ports: [{ name: "http", port: 80, targetPort: "http" }] };
    await api.call("POST", `/api/v1/namespaces/${namespace}/services`, { metadata: { name: app }, spec });
    await create("apps/v1", "deployments", app, {
      replicas: 1,
      selector: { matchLabels: { app } },
      template: template({ app }),
    });
    const targets = async () => {
      const { body } = await api.call("GET", `/api/v1/namespaces/${namespace}/endpoints/${app}`);
      const addresses = (body.subsets ?? []).flatMap((subset: Reply["body"]) => subset.addresses ?? []);
      return addresses.map((address: Reply["body"]) => address.targetRef.name).join(",");
    };
    const [pod] = await ready(`app=${app}`, 1);
    await waitFor(async () => (await targets()) === pod.metadata.name, slowly);
    const { body } = await api.call("GET", `/api/v1/namespaces/${namespace}/endpoints/${app}`);
    expect(body.subsets[0].ports).toEqual([{ name: "http", port: 8080, protocol: "TCP" }]);
    await relabel(pod, { quarantine: "q-2" });
    const [replacement] = await ready(`app=${app}`, 1);
    await waitFor(async () => (await targets()) === replacement.metadata.name, slowly);
  });

  it("leaves a StatefulSet's place empty while the released pod holds its name, and adopts it again", async () => {
    const app = freshName("db");
    const spec = { replicas: 2, serviceName: app, selector: { matchLabels: { app } }, template: template({ app }) };
    await create("apps/v1", "statefulsets", app, spec);
    const pods = await ready(`app=${app}`, 2);
    expect(
      pods.map(({ metadata }) => String(metadata.name)).toSorted((one, other) => one.localeCompare(other)),
    ).toEqual([`${app}-0`, `${app}-1`]);
    const [first] = pods.toSorted((one, other) => one.metadata.name.localeCompare(other.metadata.name));
    const labels = first.metadata.labels;
    await relabel(first, { quarantine: "q-3" });
    await waitFor(async () => owners(await get(first)).length === 0, slowly);
    const { body: set } = await suite().api.call(
      "GET",
      `/apis/apps/v1/namespaces/${suite().namespace}/statefulsets/${app}`,
    );
    expect(set.spec.replicas).toBe(2);
    expect((await list(`app=${app}`)).map(({ metadata }) => metadata.name)).toEqual([`${app}-1`]);
    await relabel(first, labels);
    await waitFor(async () => owners(await get(first))[0] === "StatefulSet", slowly);
    expect((await get(first)).metadata.uid).toBe(first.metadata.uid);
  });

  it("starts another pod of a DaemonSet on the node", async () => {
    const app = freshName("agent");
    await create("apps/v1", "daemonsets", app, { selector: { matchLabels: { app } }, template: template({ app }) });
    const pod = await waitFor(async () => (await list(`app=${app}`)).find(isReady), slowly);
    await relabel(pod, { quarantine: "q-4" });
    const replacement = await waitFor(
      async () => (await list(`app=${app}`)).filter(isReady).find(({ spec }) => spec.nodeName === pod.spec.nodeName),
      slowly,
    );
    expect(replacement.metadata.name).not.toBe(pod.metadata.name);
    expect(owners(await get(pod))).toEqual([]);
  });

  it("starts the work of a Job again", async () => {
    const name = freshName("job");
    await create("batch/v1", "jobs", name, { template: template({ job: name }, { restartPolicy: "Never" }) });
    const [pod] = await exactly(1, () => list(`job=${name}`));
    expect(pod.metadata.labels["job-name"]).toBe(name);
    await relabel(pod, { quarantine: "q-5" });
    const [replacement] = await exactly(1, () => list(`job=${name}`));
    expect(replacement.metadata.uid).not.toBe(pod.metadata.uid);
    expect(owners(replacement)).toEqual(["Job"]);
  });

  it("lets a deleted pod terminate, and answers with it", async () => {
    const { api, pods } = suite();
    const name = freshName("bare");
    const spec = { containers: [{ name: "main", image: "registry.example/main:1" }], terminationGracePeriodSeconds: 1 };
    await api.call("POST", pods, { metadata: { name, labels: { name } }, spec });
    await ready(`name=${name}`, 1);
    const deleted = await api.call("DELETE", `${pods}/${name}`);
    expect(deleted).toMatchObject({ status: 200, body: { kind: "Pod", metadata: { name } } });
    expect(deleted.body.metadata.deletionTimestamp).toBeDefined();
    await waitFor(async () => (await api.call("GET", `${pods}/${name}`)).status === 404, {
      ...slowly,
      timeoutMs: 60_000,
    });
  });

  it("collects what has lost its owner, and what names an owner that never was", async () => {
    const { api, namespace } = suite();
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const { body: owner } = await api.call("POST", path, { metadata: { name: freshName("owner") } });
    const owned = async (uid: string) => {
      const reference = { apiVersion: "v1", kind: "ConfigMap", name: owner.metadata.name, uid };
      const name = freshName("owned");
      await api.call("POST", path, { metadata: { name, ownerReferences: [reference] } });
      return `${path}/${name}`;
    };
    const [mine, orphan] = [await owned(owner.metadata.uid), await owned("00000000-0000-0000-0000-000000000000")];
    await waitFor(async () => (await api.call("GET", orphan)).status === 404, slowly);
    expect((await api.call("GET", mine)).status).toBe(200);
    await api.call("DELETE", `${path}/${owner.metadata.name}`);
    await waitFor(async () => (await api.call("GET", mine)).status === 404, slowly);
  });

  describe("a namespace that is deleted", () => {
    it("takes nothing new, and goes with everything in it", async () => {
      const { api } = suite();
      const name = freshName("gone");
      const path = `/api/v1/namespaces/${name}`;
      await api.call("POST", "/api/v1/namespaces", { metadata: { name } });
      const map = { metadata: { name: "held", finalizers: ["bulkhead.dev/test"] } };
      await api.call("POST", `${path}/configmaps`, map);
      await api.call("DELETE", path);
      await waitFor(async () => (await api.call("GET", path)).body.status?.phase === "Terminating", slowly);
      const refused = await api.call("POST", `${path}/configmaps`, { metadata: { name: "late" } });
      expect(refused).toMatchObject({ status: 403, body: { reason: "Forbidden" } });
      const free = { metadata: { finalizers: null } };
      await api.call("PATCH", `${path}/configmaps/held`, free, { "content-type": patchTypes.merge });
      await waitFor(async () => (await api.call("GET", path)).status === 404, { ...slowly, timeoutMs: 60_000 });
    });
  });
}
