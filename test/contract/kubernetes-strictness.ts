import { expect, it } from "vitest";
import { freshName, patchTypes } from "./kubernetes-connection.ts";
import { policyNamed, type Suite } from "./kubernetes-fixtures.ts";

/** What the server does not take. */
export function strictnessContract(suite: () => Suite): void {
  const causes = async (spec: object, metadata: object = {}): Promise<string[]> => {
    const { api, policies } = suite();
    const body = { ...policyNamed(freshName("p"), { spec }) } as { metadata: object };
    const reply = await api.call("POST", policies, { ...body, metadata: { ...body.metadata, ...metadata } });
    return reply.status === 422
      ? reply.body.details.causes.map((cause: { field: string }) => cause.field)
      : [String(reply.status)];
  };
  const from = (...peers: object[]) => ({ podSelector: {}, ingress: [{ from: peers }] });
  const ports = (...entries: object[]) => ({ podSelector: {}, ingress: [{ ports: entries }] });
  const block = (cidr: string, ...except: string[]) =>
    from({ ipBlock: { cidr, ...(except.length === 0 ? {} : { except }) } });
  const inFrom = (index: number, rest: string) => `spec.ingress[0].from[${index}]${rest}`;

  it("takes a CIDR with host bits and refuses what is none", async () => {
    expect(await causes(block("10.0.0.5/8"))).toEqual(["201"]);
    expect(await causes(block("2001:db8::/32"))).toEqual(["201"]);
    for (const bad of [
      "nope",
      "10.0.0.0",
      "10.0.0.0/33",
      "10.0.0/8",
      "10.0.0.300/8",
      "010.0.0.0/8",
      "10.0.0.0/-1",
      " 10.0.0.0/8",
    ]) {
      // Go 1.16 of Kubernetes 1.20 still read leading zeros.
      if (bad.startsWith("0") && suite().api.minor < 22) continue;
      expect([bad, await causes(block(bad))]).toEqual([bad, [inFrom(0, ".ipBlock.cidr")]]);
    }
  });

  it("wants every exception inside its CIDR", async () => {
    expect(await causes(block("10.0.0.0/8", "10.1.0.0/16"))).toEqual(["201"]);
    expect(await causes(block("10.0.0.0/8", "11.0.0.0/16", "junk"))).toEqual([
      inFrom(0, ".ipBlock.except[0]"),
      inFrom(0, ".ipBlock.except[1]"),
    ]);
  });

  it("wants a peer to be either selectors or a block", async () => {
    expect(await causes(from({}))).toEqual([inFrom(0, "")]);
    expect(await causes(from({ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }))).toEqual([inFrom(0, "")]);
  });

  it("wants ports between 1 and 65535 or a port name, and a known protocol", async () => {
    const path = "spec.ingress[0].ports[0]";
    expect(await causes(ports({ port: 0 }))).toEqual([`${path}.port`]);
    expect(await causes(ports({ port: 65_536 }))).toEqual([`${path}.port`]);
    expect(await causes(ports({ port: "Bad_Name" }))).toEqual([`${path}.port`]);
    expect(await causes(ports({ port: "http" }, { protocol: "SCTP" }))).toEqual(["201"]);
    expect(await causes(ports({ protocol: "ICMP" }))).toEqual([`${path}.protocol`]);
    if (suite().api.minor < 22) return;
    expect(await causes(ports({ port: 80, endPort: 90 }))).toEqual(["201"]);
    expect(await causes(ports({ port: 80, endPort: 79 }))).toEqual([`${path}.endPort`]);
    expect(await causes(ports({ endPort: 79 }))).toEqual([`${path}.endPort`]);
    expect(await causes(ports({ port: "http", endPort: 79 }))).toEqual([`${path}.endPort`]);
  });

  it("checks selectors as it checks labels", async () => {
    const select = (podSelector: object) => causes({ podSelector });
    const expression = "spec.podSelector.matchExpressions[0]";
    expect(await select({ matchLabels: { "a b": "c" } })).toEqual(["spec.podSelector.matchLabels"]);
    expect(await select({ matchLabels: { a: "c d" } })).toEqual(["spec.podSelector.matchLabels"]);
    expect(await select({ matchExpressions: [{ key: "a", operator: "In" }] })).toEqual([`${expression}.values`]);
    expect(await select({ matchExpressions: [{ key: "a", operator: "Exists", values: ["b"] }] })).toEqual([
      `${expression}.values`,
    ]);
    expect(await select({ matchExpressions: [{ key: "a", operator: "Like", values: ["b"] }] })).toEqual([
      `${expression}.operator`,
    ]);
  });

  it("refuses unknown policy types, bad names, labels and annotation keys", async () => {
    expect(await causes({ podSelector: {}, policyTypes: ["Ingress", "Both"] })).toEqual(["spec.policyTypes[1]"]);
    expect(await causes({ podSelector: {} }, { name: "Upper" })).toEqual(["metadata.name"]);
    expect(await causes({ podSelector: {} }, { name: "a_b" })).toEqual(["metadata.name"]);
    expect(await causes({ podSelector: {} }, { labels: { a: "-x" } })).toEqual(["metadata.labels"]);
    expect(await causes({ podSelector: {} }, { labels: { a: "x".repeat(64) } })).toEqual(["metadata.labels"]);
    expect(await causes({ podSelector: {} }, { labels: { "a/b/c": "x" } })).toEqual(["metadata.labels"]);
    expect(await causes({ podSelector: {} }, { annotations: { "a b": "x" } })).toEqual(["metadata.annotations"]);
    expect(await causes({ podSelector: {} }, { annotations: { a: "x".repeat(262_144) } })).toEqual([
      "metadata.annotations",
    ]);
    expect(await causes({ podSelector: {} }, { namespace: "elsewhere" })).toEqual(["400"]);
  });

  it("refuses values of another type and bodies of another kind with 400", async () => {
    const { api, policies } = suite();
    expect(await causes({ podSelector: "x" })).toEqual(["400"]);
    expect(await causes({ podSelector: {}, ingress: {} })).toEqual(["400"]);
    expect(await causes({ podSelector: {} }, { labels: { a: 1 } })).toEqual(["400"]);
    expect((await api.call("POST", policies, { apiVersion: "v1", kind: "Pod", metadata: { name: "x" } })).status).toBe(
      400,
    );
    expect((await api.call("POST", policies, "{")).status).toBe(400);
    expect((await api.call("POST", policies, "{}", { "content-type": "text/plain" })).status).toBe(415);
  });

  it("never turns a field that it does not know into a rule", async () => {
    const { api, policies } = suite();
    const name = freshName("p");
    const spec = { podSelector: {}, ingress: [{ _from: [{ podSelector: {} }] }] };
    const lenient = await api.call("POST", policies, policyNamed(name, { spec }));
    // This is the trap: the unknown field is dropped, and the rule that is left lets everything in.
    expect(lenient.body.spec.ingress).toEqual([{}]);
    if (api.minor >= 25) {
      const strict = await api.call(
        "POST",
        `${policies}?fieldValidation=Strict`,
        policyNamed(freshName("p"), { spec }),
      );
      expect(strict.status).toBe(400);
      expect(strict.body.message).toContain('unknown field "spec.ingress[0]._from"');
    }
    const applied = await api.call(
      "PATCH",
      `${policies}/${freshName("p")}?fieldManager=m`,
      policyNamed(name, { spec }),
      { "content-type": patchTypes.apply },
    );
    expect(applied.status).toBeGreaterThanOrEqual(400);
  });

  it("wants MicroTime with exactly six decimals", async () => {
    const { api, namespace } = suite();
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    const lease = (renewTime: string) =>
      api.call("POST", path, { metadata: { name: freshName("l") }, spec: { renewTime } });
    expect((await lease("2026-11-21T00:00:00.123Z")).status).toBe(400);
    expect((await lease("2026-11-21T00:00:00Z")).status).toBe(400);
    const stored = await lease("2026-11-21T00:00:00.123456Z");
    expect(stored.status).toBe(201);
    expect(stored.body.spec.renewTime).toBe("2026-11-21T00:00:00.123456Z");
  });

  it("wants a lease to be replaced at a resourceVersion", async () => {
    const { api, namespace } = suite();
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    const { body } = await api.call("POST", path, {
      metadata: { name: freshName("l") },
      spec: { holderIdentity: "a" },
    });
    const put = (resourceVersion?: string) =>
      api.call("PUT", `${path}/${body.metadata.name}`, {
        ...body,
        metadata: { name: body.metadata.name, resourceVersion },
        spec: { holderIdentity: "b" },
      });
    expect((await put()).status).toBe(422);
    expect((await put(body.metadata.resourceVersion)).status).toBe(200);
    expect((await put(body.metadata.resourceVersion)).status).toBe(409);
  });

  it("wants events of events.k8s.io complete, and shows them in both APIs", async () => {
    const { api, namespace } = suite();
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const event = (rest: object) => ({
      metadata: { name: freshName("e") },
      eventTime: "2026-11-21T00:00:00.000000Z",
      action: "Quarantine",
      reason: "Quarantined",
      type: "Warning",
      note: "a note",
      reportingController: "bulkhead.dev/bot",
      reportingInstance: "bulkhead-0",
      regarding: { kind: "Pod", namespace, name: "x" },
      ...rest,
    });
    expect((await api.call("POST", path, event({ note: "n".repeat(1_025) }))).status).toBe(422);
    expect((await api.call("POST", path, event({ action: undefined }))).status).toBe(422);
    expect((await api.call("POST", path, event({ type: "Odd" }))).status).toBe(422);
    expect((await api.call("POST", path, event({ eventTime: "2026-11-21T00:00:00.000Z" }))).status).toBe(400);
    const { body } = await api.call("POST", path, event({}));
    const { body: core } = await api.call("GET", `/api/v1/namespaces/${namespace}/events/${body.metadata.name}`);
    expect(core).toMatchObject({
      message: "a note",
      involvedObject: { name: "x" },
      reportingComponent: "bulkhead.dev/bot",
    });
  });

  it("keeps a pod's containers and a workload's selector as they were created", async () => {
    const { api, pods, namespace } = suite();
    expect((await api.call("POST", pods, { metadata: { name: "empty" }, spec: {} })).status).toBe(422);
    const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const containers = [{ name: "c", image: "i" }];
    const spec = {
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "c" } }, spec: { containers } },
    };
    const refused = await api.call("POST", deployments, { metadata: { name: "odd" }, spec });
    expect(refused.body.details.causes[0].field).toBe("spec.template.metadata.labels");
  });

  it("labels every namespace with its own name", async ({ skip }) => {
    const { api, namespace } = suite();
    if (api.minor < 21) skip();
    const { body } = await api.call("GET", `/api/v1/namespaces/${namespace}`);
    expect(body.metadata.labels).toEqual({ "kubernetes.io/metadata.name": namespace });
  });
}
