import { expect, it } from "vitest";
import { waitFor } from "../wait.ts";
import { freshName } from "./kubernetes-connection.ts";
import { policyNamed, type Suite } from "./kubernetes-fixtures.ts";

/** Creating, reading, listing, replacing and deleting. */
export function objectContract(suite: () => Suite): void {
  it("creates an object with uid, resourceVersion and creation time, and refuses the same name", async () => {
    const { api, policies } = suite();
    const name = freshName("p");
    const created = await api.call("POST", policies, policyNamed(name));
    expect(created.status).toBe(201);
    expect(created.body.metadata).toMatchObject({ name, namespace: suite().namespace, generation: 1 });
    expect(created.body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(Number(created.body.metadata.resourceVersion)).toBeGreaterThan(0);
    expect(created.body.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const again = await api.call("POST", policies, policyNamed(name));
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({ kind: "Status", status: "Failure", reason: "AlreadyExists", code: 409 });
    expect(again.body.details).toEqual({ name, group: "networking.k8s.io", kind: "networkpolicies" });
  });

  it("fills in policyTypes and protocols, and drops empty rule lists", async () => {
    const { api, policies } = suite();
    const create = async (spec: object) =>
      (await api.call("POST", policies, policyNamed(freshName("p"), { spec }))).body.spec;
    expect(await create({})).toEqual({ podSelector: {}, policyTypes: ["Ingress"] });
    expect(await create({ podSelector: {}, egress: [] })).toEqual({ podSelector: {}, policyTypes: ["Ingress"] });
    expect(await create({ podSelector: {}, ingress: [{ from: [], ports: [{ port: 53 }] }], egress: [{}] })).toEqual({
      podSelector: {},
      ingress: [{ ports: [{ protocol: "TCP", port: 53 }] }],
      egress: [{}],
      policyTypes: ["Ingress", "Egress"],
    });
  });

  it("keeps `from` of a policy as it was sent", async () => {
    const { api, policies } = suite();
    const ingress = [
      {
        from: [{ namespaceSelector: { matchLabels: { a: "b" } }, podSelector: {} }],
        ports: [{ protocol: "UDP", port: "dns" }],
      },
    ];
    const created = await api.call(
      "POST",
      policies,
      policyNamed(freshName("p"), { spec: { podSelector: {}, ingress } }),
    );
    expect(created.body.spec.ingress).toEqual(ingress);
  });

  it("makes a name from generateName, and demands one of the two", async () => {
    const { api, policies } = suite();
    const named = await api.call("POST", policies, { metadata: { generateName: "made-" } });
    expect(named.body.metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
    const nameless = await api.call("POST", policies, { metadata: {} });
    expect(nameless.status).toBe(422);
    expect(nameless.body.details.causes[0]).toMatchObject({ reason: "FieldValueRequired", field: "metadata.name" });
  });

  it("answers 404 for an object, a namespace and a resource that are not there", async () => {
    const { api, policies, namespace } = suite();
    const object = await api.call("GET", `${policies}/none`);
    expect(object.body).toMatchObject({
      reason: "NotFound",
      code: 404,
      details: { name: "none", kind: "networkpolicies" },
    });
    const nowhere = await api.call("POST", policies.replace(namespace, "no-such-namespace"), policyNamed("x"));
    expect(nowhere.body).toMatchObject({
      reason: "NotFound",
      details: { name: "no-such-namespace", kind: "namespaces" },
    });
    expect((await api.call("GET", "/apis/networking.k8s.io/v1/foos")).status).toBe(404);
    expect((await api.call("PUT", `${policies}/none`, policyNamed("none"))).status).toBe(404);
    expect((await api.call("DELETE", `${policies}/none`)).status).toBe(404);
  });

  it("lists without kind in the items, by labels, page by page at one resourceVersion", async () => {
    const { api, policies } = suite();
    const set = freshName("set");
    for (const index of [1, 2, 3]) {
      await api.call(
        "POST",
        policies,
        policyNamed(`${set}-${index}`, { labels: { set, odd: String(index % 2 === 1) } }),
      );
    }
    const all = await api.call("GET", `${policies}?labelSelector=set%3D${set}`);
    expect(all.body).toMatchObject({ kind: "NetworkPolicyList", apiVersion: "networking.k8s.io/v1" });
    expect(all.body.items).toHaveLength(3);
    expect(all.body.items[0].kind).toBeUndefined();
    const first = await api.call("GET", `${policies}?labelSelector=set%3D${set}&limit=2`);
    await api.call("POST", policies, policyNamed(`${set}-4`, { labels: { set } }));
    const token = encodeURIComponent(first.body.metadata.continue);
    const second = await api.call("GET", `${policies}?labelSelector=set%3D${set}&limit=2&continue=${token}`);
    const names = [...first.body.items, ...second.body.items].map((item) => item.metadata.name);
    expect(names).toEqual([1, 2, 3].map((index) => `${set}-${index}`));
    expect(second.body.metadata.continue).toBeUndefined();
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    expect((await api.call("GET", `${policies}?limit=1&continue=junk`)).status).toBe(400);
  });

  it("understands the whole selector syntax", async () => {
    const { api, policies } = suite();
    const set = freshName("sel");
    await api.call("POST", policies, policyNamed(`${set}-a`, { labels: { set, tier: "a" } }));
    await api.call("POST", policies, policyNamed(`${set}-b`, { labels: { set, tier: "b" } }));
    await api.call("POST", policies, policyNamed(`${set}-c`, { labels: { set } }));
    const select = async (selector: string) => {
      const { body } = await api.call(
        "GET",
        `${policies}?labelSelector=${encodeURIComponent(`set=${set},${selector}`)}`,
      );
      return body.items.map((item: { metadata: { name: string } }) => item.metadata.name.slice(-1)).join("");
    };
    expect(await select("tier=a")).toBe("a");
    expect(await select("tier!=a")).toBe("bc");
    expect(await select("tier in (a,b)")).toBe("ab");
    expect(await select("tier notin (a, b)")).toBe("c");
    expect(await select("tier")).toBe("ab");
    expect(await select("!tier")).toBe("c");
    expect((await api.call("GET", `${policies}?labelSelector=a%20b`)).status).toBe(400);
    const byName = await api.call("GET", `${policies}?fieldSelector=metadata.name%3D${set}-b`);
    expect(byName.body.items).toHaveLength(1);
    expect((await api.call("GET", `${policies}?fieldSelector=spec.foo%3Db`)).status).toBe(400);
  });

  it("refuses a resourceVersion that is no number or lies in the future", async () => {
    const { api, policies } = suite();
    expect((await api.call("GET", `${policies}?resourceVersion=abc`)).status).toBeGreaterThanOrEqual(400);
    const future = await api.call("GET", `${policies}?resourceVersion=999999999`);
    expect(future).toMatchObject({ status: 504, body: { reason: "Timeout", details: { retryAfterSeconds: 1 } } });
    expect((await api.call("GET", `${policies}?resourceVersion=0`)).status).toBe(200);
  });

  it("replaces an object only at the resourceVersion that was read, and counts changes of the spec", async () => {
    const { api, policies } = suite();
    const name = freshName("p");
    const { body: first } = await api.call("POST", policies, policyNamed(name));
    const second = await api.call("PUT", `${policies}/${name}`, {
      ...first,
      spec: { ...first.spec, policyTypes: ["Egress"] },
    });
    expect(second.status).toBe(200);
    expect(second.body.metadata.generation).toBe(2);
    const stale = await api.call("PUT", `${policies}/${name}`, first);
    expect(stale).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    const { body: labelled } = await api.call("PUT", `${policies}/${name}`, {
      ...second.body,
      metadata: { ...second.body.metadata, labels: { a: "b" } },
    });
    expect(labelled.metadata.generation).toBe(2);
    const { body: same } = await api.call("PUT", `${policies}/${name}`, labelled);
    expect(same.metadata.resourceVersion).toBe(labelled.metadata.resourceVersion);
    const other = {
      ...same,
      metadata: { ...same.metadata, uid: "00000000-0000-0000-0000-000000000000", resourceVersion: undefined },
    };
    expect((await api.call("PUT", `${policies}/${name}`, other)).status).toBe(409);
  });

  it("deletes by uid and resourceVersion, and refuses others with 409", async () => {
    const { api, policies } = suite();
    const name = freshName("p");
    const { body } = await api.call("POST", policies, policyNamed(name));
    const { uid, resourceVersion } = body.metadata;
    const remove = (preconditions: object) =>
      api.call("DELETE", `${policies}/${name}`, { apiVersion: "v1", kind: "DeleteOptions", preconditions });
    expect(await remove({ uid: "other" })).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    expect(await remove({ uid, resourceVersion: "1" })).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    expect(await remove({ uid, resourceVersion })).toMatchObject({
      status: 200,
      body: { kind: "Status", status: "Success", details: { name, uid } },
    });
    expect((await remove({ uid })).status).toBe(404);
  });

  it("changes nothing with dryRun=All, and refuses other values", async () => {
    const { api, policies } = suite();
    const name = freshName("p");
    const created = await api.call("POST", `${policies}?dryRun=All`, policyNamed(name));
    expect(created.status).toBe(201);
    expect(created.body.spec.policyTypes).toEqual(["Ingress"]);
    expect((await api.call("GET", `${policies}/${name}`)).status).toBe(404);
    await api.call("POST", policies, policyNamed(name));
    const patch = [{ op: "add", path: "/metadata/labels", value: { a: "b" } }];
    const patched = await api.call("PATCH", `${policies}/${name}?dryRun=All`, patch, {
      "content-type": "application/json-patch+json",
    });
    expect(patched.body.metadata.labels).toEqual({ a: "b" });
    expect((await api.call("DELETE", `${policies}/${name}?dryRun=All`)).status).toBe(200);
    const { body: kept } = await api.call("GET", `${policies}/${name}`);
    expect(kept.metadata.labels).toBeUndefined();
    expect((await api.call("POST", `${policies}?dryRun=Some`, policyNamed(freshName("p")))).status).toBe(422);
  });

  it("holds an object with finalizers until the last is gone", async () => {
    const { api, namespace } = suite();
    const name = freshName("c");
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    await api.call("POST", path, { metadata: { name, finalizers: ["bulkhead.dev/test"] } });
    const deleted = await api.call("DELETE", `${path}/${name}`);
    expect(deleted.body.metadata.deletionTimestamp).toBeDefined();
    const patch = { metadata: { finalizers: null } };
    await api.call("PATCH", `${path}/${name}`, patch, { "content-type": "application/merge-patch+json" });
    expect((await api.call("GET", `${path}/${name}`)).status).toBe(404);
  });

  it("answers a SelfSubjectAccessReview with 201 and a verdict", async () => {
    const { api, namespace } = suite();
    const spec = { resourceAttributes: { verb: "patch", resource: "pods", namespace } };
    const review = await api.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec });
    expect(review).toMatchObject({
      status: 201,
      body: { kind: "SelfSubjectAccessReview", spec, status: { allowed: true } },
    });
  });

  it("shows one object as a table and as metadata where that is accepted", async () => {
    const { api, policies } = suite();
    const name = freshName("p");
    await api.call("POST", policies, policyNamed(name));
    const accept = (as: string) => ({ accept: `application/json;as=${as};g=meta.k8s.io;v=v1` });
    const table = await api.call("GET", `${policies}/${name}`, undefined, accept("Table"));
    expect(table.body.kind).toBe("Table");
    expect(table.body.rows[0].cells[0]).toBe(name);
    const metadata = await api.call("GET", `${policies}/${name}`, undefined, accept("PartialObjectMetadata"));
    expect(metadata.body.kind).toBe("PartialObjectMetadata");
    expect(metadata.body.spec).toBeUndefined();
  });

  it("tells by discovery which groups, versions and kinds it serves, a defined one's as soon as it is established", async () => {
    const { api, namespace } = suite();
    const group = `${freshName("g")}.example`;
    expect((await api.call("GET", `/apis/${group}/v1`)).status).toBe(404);
    const names = { plural: "walls", singular: "wall", kind: "Wall" };
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const spec = { group, scope: "Namespaced", names, versions: [{ name: "v1", served: true, storage: true, schema }] };
    const definition = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", spec };
    expect((await api.call("POST", definitions, { ...definition, metadata: { name: `walls.${group}` } })).status).toBe(
      201,
    );
    try {
      await waitFor(async () => (await api.call("GET", `/apis/${group}/v1`)).status === 200);
      const served = (await api.call("GET", "/apis")).body.groups as { versions: { groupVersion: string }[] }[];
      const groupVersions = served.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion));
      expect(groupVersions).toEqual(expect.arrayContaining([`${group}/v1`, "networking.k8s.io/v1", "apps/v1"]));
      const { resources } = (await api.call("GET", `/apis/${group}/v1`)).body;
      expect(resources).toContainEqual(expect.objectContaining({ name: "walls", kind: "Wall", namespaced: true }));
      const wall = { apiVersion: `${group}/v1`, kind: "Wall", metadata: { name: "w" }, spec: { from: [{ a: 1 }] } };
      const path = `/apis/${group}/v1/namespaces/${namespace}/walls`;
      await waitFor(async () => [201, 409].includes((await api.call("POST", path, wall)).status));
      const { items } = (await api.call("GET", `/apis/${group}/v1/walls?limit=250`)).body;
      expect(items).toMatchObject([{ metadata: { name: "w", namespace }, spec: { from: [{ a: 1 }] } }]);
    } finally {
      await api.call("DELETE", `${definitions}/walls.${group}`);
    }
  });

  it("keeps a Service's ports with their targets, fills in protocol and target, and gives it an address", async () => {
    const { api, namespace } = suite();
    const create = async (spec: object) =>
      (await api.call("POST", `/api/v1/namespaces/${namespace}/services`, { metadata: { name: freshName("s") }, spec }))
        .body.spec;
    const ports = [
      { name: "db", port: 5432, targetPort: "pg" },
      { name: "dns", port: 53, protocol: "UDP" },
    ];
    const created = await create({ selector: { app: "x" }, ports });
    expect(created.ports).toMatchObject([
      { name: "db", port: 5432, targetPort: "pg", protocol: "TCP" },
      { name: "dns", port: 53, targetPort: 53, protocol: "UDP" },
    ]);
    expect(created.clusterIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect((await create({ clusterIP: "None", selector: { app: "x" } })).clusterIP).toBe("None");
  });
}
