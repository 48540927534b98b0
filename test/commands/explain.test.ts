import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { detectionOf } from "../../src/commands/detection.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { waitFor } from "../wait.ts";
import { bob, startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;

beforeAll(async () => {
  desk = await startDesk({ cluster: { objects: [...seedObjects(), ...extra()] } });
  const everywhere = { principals: ["slack:T1/U1"], verbs: ["status"], namespaces: ["*"] } as const;
  const bobs = { principals: ["slack:T1/U2"], verbs: ["status"], namespaces: ["shop", "payments"] } as const;
  Object.assign(desk.services.settings.access, { rules: [everywhere, bobs] });
});

afterAll(() => desk.close());

/** A Service whose port is another than the pods', which bear it under one name at two numbers. */
function extra(): object[] {
  const pod = (name: string, app: string, port: number) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", labels: { app } },
    spec: { containers: [{ name: "main", image: "x", ports: [{ name: "http", containerPort: port }] }] },
  });
  const spec = { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] };
  const far = { type: "ExternalName", externalName: "db.example.com", selector: { app: "web" }, ports: spec.ports };
  return [
    pod("web-old", "web", 8080),
    pod("web-new", "web", 9090),
    { ...pod("done", "web", 1), status: { phase: "Succeeded", podIP: "10.250.0.9" } },
    { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "shop" }, spec },
    { apiVersion: "v1", kind: "Service", metadata: { name: "far", namespace: "shop" }, spec: far },
    policy("web-numbers", { app: "web" }, [{ ports: [{ port: 8080 }] }]),
  ];
}

function policy(name: string, matchLabels: Record<string, string>, ingress: object[], namespace = "shop"): object {
  const spec = { podSelector: { matchLabels }, policyTypes: ["Ingress"], ingress };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
}

const explain = (text: string): Promise<Reply> => desk.type(`explain ${text}`);

function section(reply: Reply, title: string): readonly string[] {
  const found = reply.sections.find((one) => one.kind === "list" && one.title?.startsWith(title) === true);
  return found?.kind === "list" ? found.items : [];
}

describe("An explanation", () => {
  test("says yes, and by which rule in each direction", async () => {
    const reply = await explain("payments/ledger → db/postgres:5432");
    expect(reply).toMatchObject({
      headline: "Yes: payments/ledger can connect to db/postgres on TCP 5432.",
      outcome: "ok",
      tone: "neutral",
      shape: "note",
      buttons: [],
    });
    expect(section(reply, "Out of payments/ledger: allowed")).toEqual([
      "Allowed by NetworkPolicy payments/allow-ledger, egress[0].",
    ]);
    expect(section(reply, "Into db/postgres: allowed")).toEqual([
      "Allowed by NetworkPolicy db/allow-postgres, ingress[0].",
    ]);
  });

  test("says no, and which policies isolate in each direction", async () => {
    const reply = await explain("payments/checkout → db/postgres:5432");
    expect(reply.headline).toBe("No: payments/checkout cannot connect to db/postgres on TCP 5432.");
    expect(section(reply, "Out of payments/checkout: denied").join()).toMatch(/payments\/default-deny/);
    expect(section(reply, "Into db/postgres: denied").join()).toMatch(/db\/allow-postgres.*db\/default-deny/);
  });

  test("says what the ends are, which engine is assumed, and how old the facts are", async () => {
    const reply = await explain("payments/ledger → db/postgres:5432");
    expect(section(reply, "What this goes by")).toEqual([
      "payments/ledger is Deployment ledger, 2 pods.",
      "db/postgres is Service postgres: its port 5432 is port 5432 of 3 pods.",
      "Which network plugin enforces is not known: where engines differ, both readings are evaluated.",
    ]);
    expect(reply.footer).toEqual(["Read just now."]);
  });

  test("resolves a Service's port on each pod, and says by name where pods differ", async () => {
    const reply = await explain("shop/frontend → shop/web:80");
    expect(reply.headline).toBe("It depends on the pods whether shop/frontend can connect to shop/web on TCP 80.");
    expect(reply.tone).toBe("warning");
    const titles = reply.sections.flatMap((one) => (one.kind === "list" ? [one.title] : []));
    expect(titles).toContainEqual(expect.stringMatching(/^Allowed: frontend-\S+, frontend-\S+ → web-old$/));
    expect(titles).toContainEqual(expect.stringMatching(/^Denied: frontend-\S+, frontend-\S+ → web-new$/));
    expect(wordsIn(reply)).toContain("shop/web is Service web: its port 80 is port 9090, 8080 of 2 pods.");
  });

  test("takes the pods' own port where their Service has none of that number, and says so", async () => {
    const reply = await explain("shop/frontend → shop/cart:9102");
    expect(reply.headline).toMatch(/^No: /);
    expect(wordsIn(reply)).toContain("shop/cart is Deployment cart (Service shop/cart has no port 9102/TCP).");
  });

  test("says of a Service that stands for a DNS name that no pod is behind it", async () => {
    expect(wordsIn(await explain("shop/frontend → shop/far:80"))).toContain("stands for the DNS name db.example.com");
    expect(wordsIn(await explain("shop/far → shop/cart:8081"))).toContain("No running pod is behind Service shop/far");
  });

  test("takes the beginning of pods' names where they are one workload's", async () => {
    const reply = await explain("payments/l → db/postgres:5432");
    expect(reply.headline).toBe("Yes: payments/ledger can connect to db/postgres on TCP 5432.");
    expect(wordsIn(reply)).toContain("what l begins: pods of Deployment ledger");
  });

  test("knows a pod, a node and a Service by its address, and what is outside", async () => {
    const [cart] = desk.sandbox.objects("Pod", "shop").filter(({ metadata }) => metadata.name.startsWith("cart-"));
    const { podIP, hostIP } = cart!["status"] as { podIP: string; hostIP: string };
    const byPod = await explain(`shop/search → ${podIP}:8081`);
    expect(byPod.headline).toBe(`No: shop/search cannot connect to ${podIP} on TCP 8081.`);
    expect(wordsIn(byPod)).toContain(`${podIP} is the address of pod shop/${cart?.metadata.name}.`);
    const byNode = await explain(`${hostIP} → shop/cart:8081`);
    expect(byNode.headline).toMatch(/^Yes: /);
    expect(wordsIn(byNode)).toContain("the node that it runs on");
    const [service] = desk.sandbox.objects("Service", "shop").filter(({ metadata }) => metadata.name === "web");
    const { clusterIP } = service!["spec"] as { clusterIP: string };
    expect(wordsIn(await explain(`shop/search → ${clusterIP}:80`))).toContain("Service web: its port 80");
    const outside = await explain("payments/checkout → 203.0.113.7:443");
    expect(outside.headline).toBe("Yes: payments/checkout can connect to 203.0.113.7 on TCP 443.");
    expect(wordsIn(outside)).toContain("203.0.113.7 is taken to be outside of the cluster");
    expect((await explain("payments/checkout → 203.0.113.200:443")).headline).toMatch(/^No: /);
  });

  test("tells the pods of the host network apart by the node that they are on", async () => {
    const reply = await explain("monitoring/node-exporter → payments/checkout:8080");
    expect(reply.headline).toMatch(/^It depends on the pods/);
    const placed = (namespace: string, app: string) =>
      desk.sandbox.objects("Pod", namespace).filter(({ metadata }) => metadata.labels?.["app"] === app);
    const nodeOf = (pod: object) => (pod as { spec: { nodeName: string } }).spec.nodeName;
    const near = placed("monitoring", "node-exporter").flatMap((one) =>
      placed("payments", "checkout")
        .filter((other) => nodeOf(other) === nodeOf(one))
        .map((other) => `${one.metadata.name} → ${other.metadata.name}`),
    );
    const titles = reply.sections.flatMap((one) => (one.kind === "list" ? [one.title ?? ""] : []));
    const allowed = titles.find((title) => title.startsWith("Allowed: ")) ?? "";
    expect(allowed.slice("Allowed: ".length).split("; ").toSorted()).toEqual(near.toSorted());
    expect(near.length).toBe(3);
  });

  test("says of a workload that talks to itself what holds between its pods", async () => {
    expect((await explain("db/postgres → db/postgres:5432")).headline).toMatch(/^Yes: /);
    expect((await explain("payments/checkout → payments/checkout:9999")).headline).toMatch(/^No: /);
    const [pod] = desk.sandbox.objects("Pod", "db").map(({ metadata }) => metadata.name);
    expect(wordsIn(await explain(`db/${pod} → db/${pod}:1`))).toContain("talk to itself");
  });

  test("is undecided where a policy decides whose engine is not known to be enforced", async () => {
    desk.sandbox.apply(definition("ciliumnetworkpolicies", "CiliumNetworkPolicy", "cilium.io"));
    const metadata = { name: "deny-cart", namespace: "shop" };
    const denying = (app: string) => {
      const spec = { endpointSelector: { matchLabels: { app } }, ingressDeny: [{ fromEntities: ["all"] }] };
      desk.sandbox.apply({ apiVersion: "cilium.io/v2", kind: "CiliumNetworkPolicy", metadata, spec });
    };
    denying("cart");
    const reply = await explain("shop/frontend → shop/cart:8081");
    expect(reply.headline).toMatch(/^Undecided: /);
    expect(wordsIn(reply)).toContain("deny-cart");
    denying("nobody");
    expect((await explain("shop/frontend → shop/cart:8081")).headline).toMatch(/^Yes: /);
  });

  test("shows both readings where it depends on whether ipBlock matches pods", async () => {
    const address = [{ from: [{ ipBlock: { cidr: "10.0.0.0/8" } }], ports: [{ port: 9200 }] }];
    desk.sandbox.apply(policy("by-address", { app: "search" }, address));
    const reply = await explain("shop/frontend → shop/search:9200");
    expect(reply.headline).toMatch(/^Undecided: /);
    expect(section(reply, "Engines differ")).toEqual(["Where it does: yes.", "Where it does not: no."]);
    desk.sandbox.apply(definition("ciliumnetworkpolicies", "CiliumNetworkPolicy", "cilium.io"));
    await install(desk, "cilium", "Cilium");
    const cilium = await explain("shop/frontend → shop/search:9200");
    expect(cilium.headline).toMatch(/^No: /);
    expect(wordsIn(cilium)).toContain("Cilium enforces: there ipBlock does not match pods (policy-cidr-match-mode).");
  });

  test("says what is known of enforcement", async () => {
    const { cluster } = desk.services.clusters.get("sandbox")!;
    const asIf = async (enforcement: "unknown" | "not-enforced") => {
      Object.assign(desk.services, { clusters: new Map([["sandbox", { cluster, enforcement }]]) });
      return section(await explain("payments/ledger → db/postgres:5432"), "What this goes by").at(-1);
    };
    expect(await asIf("not-enforced")).toBe(
      "NetworkPolicy is not enforced in this cluster, so that what it denies is allowed. The configuration says so.",
    );
    expect(await asIf("unknown")).toMatch(/^Cilium enforces/);
    desk.sandbox.faults.inject({ path: /cilium-config/, times: 9 }, { type: "status", code: 403 });
    await detectionOf(desk.services, "sandbox", "fresh");
    expect(await asIf("unknown")).toMatch(
      /whether they are enforced in this cluster is not known\. .*could not be read/,
    );
    desk.sandbox.faults.clear();
    await detectionOf(desk.services, "sandbox", "fresh");
    Object.assign(desk.services, { clusters: new Map([["sandbox", { cluster, enforcement: "enforced" }]]) });
  });
});

/** A network plugin's DaemonSet, beside an empty ConfigMap for Cilium; resolves once it is detected. */
async function install(on: TestDesk, name: string, plugin: string): Promise<void> {
  const metadata = { name, namespace: "kube-system" };
  const template = {
    metadata: { labels: { agent: name } },
    spec: { containers: [{ name, image: `r/${name}:v1.0.0` }] },
  };
  const spec = { selector: { matchLabels: { agent: name } }, template };
  on.sandbox.apply({ apiVersion: "apps/v1", kind: "DaemonSet", metadata, spec });
  on.sandbox.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...metadata, name: `${name}-config` },
    data: {},
  });
  await waitFor(async () => (await detectionOf(on.services, "sandbox", "fresh")).plugin === plugin);
}

function definition(plural: string, kind: string, group: string, version = "v2"): object {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: /^(Admin|Global)/.test(kind) ? "Cluster" : "Namespaced",
      names: { plural, singular: kind.toLowerCase(), kind },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
    },
  };
}

describe("What is not there", () => {
  test.each([
    ["shop/serch → shop/cart:8081", /no running workload, pod or Service serch.*Did you mean search\?/],
    ["shop/search → shp/cart:8081", /there is no namespace shp.*Did you mean shop\?/i],
    ["payments/ → shop/cart:8081", /neither/],
    ["shop/web- → shop/cart:8081", /not of one workload begin with web- in shop: web-new, web-old/],
    ["shop/done → shop/cart:8081", /pod shop\/done has finished \(Succeeded\)/i],
    ["shop/cart → payments/default-deny:1", /no running workload/],
    ["shop/cart → 127.0.0.1:80", /Not answered: explain[^]*127\.0\.0\.1 is a loopback address/],
  ])("%s is answered with what could be meant", async (text, words) => {
    const reply = await explain(text);
    expect(["refused", "usage"]).toContain(reply.outcome);
    expect(wordsIn(reply)).toMatch(words);
  });
});

describe("Who asks", () => {
  test("needs the right in the namespaces of both ends, and the refusal is audited", async () => {
    expect((await desk.type("explain shop/frontend → payments/checkout:8080", bob)).headline).toMatch(/^Yes: /);
    for (const text of ["shop/frontend → db/postgres:5432", "db/postgres → shop/frontend:3000"]) {
      const reply = await desk.type(`explain ${text}`, bob);
      expect(reply).toMatchObject({ outcome: "refused", headline: "Refused: explain" });
      expect(wordsIn(reply)).toContain("status in namespace db");
    }
    const [entry] = await desk.services.audit.read({ limit: 1 });
    expect(entry).toMatchObject({ kind: "refusal", verb: "explain", namespace: "db" });
  });

  test("is told nothing of a namespace that is closed to them by an address in it", async () => {
    const [pod] = desk.sandbox.objects("Pod", "db");
    const { podIP } = pod!["status"] as { podIP: string };
    const reply = await desk.type(`explain payments/ledger → ${podIP}:5432`, bob);
    expect(JSON.stringify(reply)).not.toMatch(/db\/|postgres/);
    expect(wordsIn(reply)).toContain(`${podIP} is taken to be outside of the cluster: nothing that you may see`);
  });
});

describe("What could not be read", () => {
  test.each([
    ["a kind that may not be listed", /ciliumnetworkpolicies/, "ciliumnetworkpolicies.cilium.io: "],
    ["a group that does not answer", /^\/apis\/cilium.io\/v2$/, "the APIs of cilium.io/v2: "],
    ["the list of the APIs", /^\/apis$/, "the list of the APIs that the cluster serves: "],
  ])("is named, and makes the answer undecided: %s", async (_, path, named) => {
    desk.sandbox.faults.inject({ path, times: 9 }, { type: "status", code: 403 });
    const reply = await explain("payments/ledger → db/postgres:5432");
    desk.sandbox.faults.clear();
    expect(reply.headline).toMatch(/^Undecided: not all was read that may decide whether payments\/ledger can connect/);
    expect(reply.tone).toBe("warning");
    const [first, last] = section(reply, "Could not be read");
    expect(first).toMatch(new RegExp(`^${named}`));
    expect(last).toBe("By what was read it would be: yes.");
    expect(reply.footer).toEqual(["What could be read was read just now."]);
  });

  test("is a policy API that is not evaluated, where it bears on the ends", async () => {
    desk.sandbox.apply(definition("egressfirewalls", "EgressFirewall", "k8s.ovn.org", "v1"));
    const firewall = (namespace: string) =>
      desk.sandbox.apply({
        apiVersion: "k8s.ovn.org/v1",
        kind: "EgressFirewall",
        metadata: { name: "default", namespace },
      });
    firewall("monitoring");
    expect((await explain("payments/ledger → db/postgres:5432")).headline).toMatch(/^Yes: /);
    firewall("payments");
    const reply = await explain("payments/ledger → db/postgres:5432");
    expect(reply.headline).toMatch(/^Undecided: /);
    expect(section(reply, "Could not be read")[0]).toBe(
      "EgressFirewall default: policies of k8s.ovn.org are not evaluated",
    );
  });

  test("is a policy that is not understood: it might do anything to what it may select", async () => {
    const group = "policy.networking.k8s.io";
    desk.sandbox.apply(definition("adminnetworkpolicies", "AdminNetworkPolicy", group, "v1alpha1"));
    await detectionOf(desk.services, "sandbox", "fresh");
    const metadata = { name: "odd" };
    desk.sandbox.apply({
      apiVersion: `${group}/v1alpha1`,
      kind: "AdminNetworkPolicy",
      metadata,
      spec: { priority: "low" },
    });
    const reply = await explain("payments/ledger → db/postgres:5432");
    expect(reply.headline).toMatch(/^Undecided: /);
    expect(section(reply, "What this goes by")).toContain(
      "AdminNetworkPolicy is not enforced here, so that what it decides counts as undecided. Cilium does not enforce this API.",
    );
    expect(section(reply, "Policies that are not understood").join()).toMatch(
      /^AdminNetworkPolicy odd: .*spec\.priority: /,
    );
  });

  test("of a namespace that has nothing to do with it is not named", async () => {
    const vault = {
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: "odd", namespace: "monitoring" },
    };
    desk.sandbox.apply({ ...vault, spec: { endpointSelector: 7 } });
    expect(JSON.stringify(await explain("shop/search → shop/cart:8081"))).not.toMatch(/monitoring|CiliumNetworkPolicy/);
  });
});

test("A rule that names a Service of a third namespace is resolved there", async () => {
  const group = "crd.projectcalico.org";
  const gnp = definition("globalnetworkpolicies", "GlobalNetworkPolicy", group, "v1");
  const calico = await startDesk({ cluster: { objects: [...seedObjects(), gnp] } });
  try {
    const rules = [{ principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["payments", "db"] }];
    Object.assign(calico.services.settings.access, { rules });
    const destination = { services: { name: "kube-dns", namespace: "kube-system" } };
    const egress = [{ action: "Deny", destination }];
    const spec = { tier: "default", order: 10, selector: "app == 'ledger'", types: ["Egress"], egress };
    const metadata = { name: "default.dns" };
    calico.sandbox.apply({ apiVersion: `${group}/v1`, kind: "GlobalNetworkPolicy", metadata, spec });
    await install(calico, "calico-node", "Calico");
    const reply = await calico.type("explain payments/ledger → db/postgres:5432");
    expect(reply.headline).toMatch(/^Yes: /);
    expect(wordsIn(reply)).toContain("Calico enforces: there ipBlock matches pods by their addresses, too.");
    calico.sandbox.apply({
      apiVersion: `${group}/v1`,
      kind: "GlobalNetworkPolicy",
      metadata,
      spec: { ...spec, egress: [{ action: "Deny", destination: { services: { name: "postgres", namespace: "db" } } }] },
    });
    const denied = await calico.type("explain payments/ledger → db/postgres:5432");
    expect(denied.headline).toMatch(/^No: /);
    expect(wordsIn(denied)).toMatch(/Denied by GlobalNetworkPolicy/);
  } finally {
    await calico.close();
  }
});

test("Where the cluster cannot be asked, the answer is what was known before, undecided, and says so", async () => {
  const away = await startDesk({ cluster: { objects: seedObjects() }, watch: true, timeoutMs: 300 });
  try {
    const everything = { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["*"] } as const;
    Object.assign(away.services.settings.access, { rules: [everything] });
    const { cluster } = away.services.clusters.get("sandbox")!;
    await waitFor(() => cluster.watches().every(({ synced }) => synced));
    const typed = "explain payments/ledger → db/postgres:5432";
    const now = await away.type(typed);
    expect(now.headline).toMatch(/^Yes: /);
    expect(now.footer[0]).toMatch(/as confirmed \S+ \S+ ago; policies of other APIs read just now/);
    away.pass(31_000);
    away.sandbox.faults.inject({ path: "/services", times: 1_000 }, { type: "reset" });
    const partly = await away.type(typed);
    expect(partly.headline).toMatch(/^Undecided: not all was read/);
    expect(section(partly, "Could not be read")).toEqual([
      expect.stringMatching(/^This is what was known .* ago/),
      "By what was read it would be: yes.",
    ]);
    away.sandbox.faults.inject({ times: 1_000 }, { type: "reset" });
    const reply = await away.type(typed);
    expect(reply.headline).toMatch(/^Undecided: not all was read/);
    expect(wordsIn(reply)).toMatch(/This is what was known .* ago: the API server cannot be asked now/);
    expect(section(reply, "Could not be read").at(-1)).toBe("By what was read it would be: yes.");
  } finally {
    await away.close();
  }
});
