import { expect, it } from "vitest";
import { freshName, patchTypes } from "./kubernetes-connection.ts";
import { policyNamed, type Suite } from "./kubernetes-fixtures.ts";

/** JSON patch, merge patches and server-side apply. */
export function patchContract(suite: () => Suite): void {
  const made = async (labels: Record<string, string> = { app: "x" }) => {
    const { api, policies } = suite();
    const { body } = await api.call("POST", `${policies}?fieldManager=maker`, policyNamed(freshName("p"), { labels }));
    return { body, path: `${policies}/${body.metadata.name}` };
  };
  const patch = (path: string, body: unknown, type: keyof typeof patchTypes) =>
    suite().api.call("PATCH", path, body, { "content-type": patchTypes[type] });

  it("applies a JSON patch whose tests hold, and none of it where one fails", async () => {
    const { path, body } = await made({ app: "x", "example.com/tier": "a" });
    const operations = [
      { op: "test", path: "/metadata/uid", value: body.metadata.uid },
      { op: "test", path: "/metadata/labels/example.com~1tier", value: "a" },
      { op: "remove", path: "/metadata/labels/example.com~1tier" },
      { op: "add", path: "/metadata/labels/new", value: "b" },
    ];
    expect((await patch(path, operations, "json")).body.metadata.labels).toEqual({ app: "x", new: "b" });
    const failed = await patch(path, [{ op: "remove", path: "/metadata/labels/app" }, operations[1]], "json");
    expect(failed).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    expect((await patch(path, [{ op: "remove", path: "/metadata/labels/none" }], "json")).status).toBe(422);
    expect((await patch(path, { op: "remove" }, "json")).status).toBe(400);
    const { body: after } = await suite().api.call("GET", path);
    expect(after.metadata.labels).toEqual({ app: "x", new: "b" });
  });

  it("lets a test for null hold where the member is absent", async () => {
    const { path } = await made();
    const absent = { op: "test", path: "/metadata/labels/none", value: null };
    expect((await patch(path, [absent, { op: "add", path: "/metadata/labels/none", value: "b" }], "json")).status).toBe(
      200,
    );
    expect((await patch(path, [absent], "json")).status).toBe(422);
    const nowhere = [{ op: "add", path: "/metadata/annotations/x", value: "y" }];
    expect((await patch(path, nowhere, "json")).status).toBe(422);
  });

  it("removes the labels altogether when the last one is patched away", async () => {
    const { path } = await made();
    const { body } = await patch(path, [{ op: "remove", path: "/metadata/labels/app" }], "json");
    expect(body.metadata.labels).toBeUndefined();
  });

  it("judges a merge patch by uid, resourceVersion and name where it has them", async () => {
    const { path, body } = await made();
    expect((await patch(path, { metadata: { resourceVersion: "1" } }, "merge")).status).toBe(409);
    expect((await patch(path, { metadata: { uid: "other" } }, "merge")).status).toBe(422);
    expect((await patch(path, { metadata: { name: "other" } }, "merge")).status).toBe(400);
    const { resourceVersion } = body.metadata;
    const same = await patch(path, {}, "merge");
    expect(same.body.metadata.resourceVersion).toBe(resourceVersion);
    const merged = await patch(path, { metadata: { resourceVersion, labels: { app: null, b: "c" } } }, "merge");
    expect(merged.body.metadata.labels).toEqual({ b: "c" });
  });

  it("refuses a patch of unknown type and one of an absent object", async () => {
    const { path } = await made();
    expect((await suite().api.call("PATCH", path, { a: 1 })).status).toBe(415);
    expect((await patch(`${path}-none`, {}, "merge")).status).toBe(404);
  });

  it("merges containers by name in a strategic merge", async () => {
    const { api, namespace } = suite();
    const name = freshName("d");
    const labels = { app: name };
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const containers = [
      { name: "one", image: "a:1" },
      { name: "two", image: "b:1" },
    ];
    const spec = {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    };
    await api.call("POST", path, { metadata: { name }, spec });
    const change = {
      spec: {
        template: {
          spec: {
            containers: [
              { name: "two", image: "b:2" },
              { name: "one", $patch: "delete" },
            ],
          },
        },
      },
    };
    const { body } = await patch(`${path}/${name}`, change, "strategic");
    expect(
      body.spec.template.spec.containers.map((each: { name: string; image: string }) => `${each.name}=${each.image}`),
    ).toEqual(["two=b:2"]);
  });

  it("applies only with a manager, creates what is absent, and leaves an unchanged object as it is", async () => {
    const { policies } = suite();
    const name = freshName("p");
    expect((await patch(`${policies}/${name}`, policyNamed(name), "apply")).status).toBe(422);
    const path = `${policies}/${name}?fieldManager=one`;
    const created = await patch(path, policyNamed(name, { labels: { a: "b" } }), "apply");
    expect(created.status).toBe(201);
    expect(created.body.metadata.managedFields).toMatchObject([{ manager: "one", operation: "Apply" }]);
    const again = await patch(path, policyNamed(name, { labels: { a: "b" } }), "apply");
    expect(again.status).toBe(200);
    expect(again.body.metadata.resourceVersion).toBe(created.body.metadata.resourceVersion);
  });

  it("names the manager and the field of an apply conflict, and takes the field over by force", async () => {
    const { path, body } = await made();
    const change = policyNamed(body.metadata.name, { labels: { app: "y" } });
    const refused = await patch(`${path}?fieldManager=other`, change, "apply");
    expect(refused).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    expect(refused.body.details.causes[0]).toMatchObject({
      reason: "FieldManagerConflict",
      field: ".metadata.labels.app",
    });
    expect(refused.body.details.causes[0].message).toContain('conflict with "maker"');
    const forced = await patch(`${path}?fieldManager=other&force=true`, change, "apply");
    expect(forced.body.metadata.labels).toEqual({ app: "y" });
  });

  it("takes away what a manager no longer applies, unless another owns it too", async () => {
    const { policies } = suite();
    const name = freshName("p");
    const apply = (manager: string, labels: Record<string, string>) =>
      patch(`${policies}/${name}?fieldManager=${manager}`, policyNamed(name, { labels }), "apply");
    await apply("one", { a: "1", both: "1" });
    await apply("two", { b: "1", both: "1" });
    expect((await apply("one", {})).body.metadata.labels).toEqual({ b: "1", both: "1" });
    expect((await apply("two", {})).body.metadata.labels).toBeUndefined();
  });

  it("only updates where the applied configuration bears a uid", async () => {
    const { path, body } = await made();
    const configuration = (uid: string) => ({
      ...policyNamed(body.metadata.name),
      metadata: { name: body.metadata.name, uid, labels: { z: "1" } },
    });
    expect(
      (await patch(`${path}?fieldManager=one`, configuration(body.metadata.uid), "apply")).body.metadata.labels,
    ).toMatchObject({ z: "1" });
    expect((await patch(`${path}?fieldManager=one`, configuration("other"), "apply")).status).toBe(422);
    await suite().api.call("DELETE", path);
    const absent = await patch(`${path}?fieldManager=one`, configuration(body.metadata.uid), "apply");
    expect(absent).toMatchObject({ status: 409, body: { reason: "Conflict" } });
  });
}
