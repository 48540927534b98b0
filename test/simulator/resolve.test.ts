import { describe, expect, test } from "vitest";
import { ask } from "../../src/simulator/ask.ts";
import { compile } from "../../src/simulator/compile.ts";
import type { Endpoint } from "../../src/simulator/decide.ts";
import { readManifests } from "../../src/simulator/manifests.ts";
import type { Destination, Source } from "../../src/simulator/resolution.ts";
import { resolveDestination, resolveSource } from "../../src/simulator/resolve.ts";

const cluster = `
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: postgres, namespace: db}, spec: {template: {metadata: {labels: {app: postgres}}, spec: {containers: [{ports: [{name: pg, containerPort: 5432}]}]}}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: postgres, namespace: db}, spec: {jobTemplate: {spec: {template: {spec: {}}}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: postgres, namespace: db}, spec: {selector: {app: postgres}, ports: [{port: 15432, targetPort: pg}, {port: 9, targetPort: none}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: nobody, namespace: db}, spec: {selector: {app: nobody}, ports: [{port: 1}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: byhand, namespace: db}, spec: {ports: [{port: 1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web-0, namespace: shop, labels: {app: web}, ownerReferences: [{kind: StatefulSet, name: web, controller: true}]}, spec: {containers: [{ports: [{name: http, containerPort: 8080}]}]}, status: {podIP: 10.0.0.7}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop, labels: {app: web}, ownerReferences: [{kind: StatefulSet, name: web, controller: true}]}, spec: {containers: [{ports: [{name: http, containerPort: 8081}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web-2, namespace: shop, labels: {app: web}, ownerReferences: [{kind: StatefulSet, name: web, controller: true}]}, spec: {}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 8081, protocol: UDP}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: other, namespace: shop}, spec: {template: {spec: {}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: other, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}}
`;

function simulatorOf(text: string) {
  return compile(readManifests([{ path: "all.yaml", text }]).snapshot, {
    engine: undefined,
    ipBlockMatchesPods: false,
  });
}

const simulator = simulatorOf(cluster);

function shown(end: Endpoint): string {
  if (end.kind !== "pod") return end.kind === "external" ? end.address : "node";
  return `${end.pod.namespace}/${end.pod.name ?? end.pod.workload.name}`;
}

/** Name and endpoints, or the problem. */
function to(text: string, port = 80, protocol: "TCP" | "UDP" = "TCP"): readonly string[] {
  const found = resolveDestination(simulator, text, { port, protocol });
  if ("problem" in found) return [found.problem];
  return [found.name, ...found.endpoints.map((each) => `${shown(each.endpoint)}:${each.port}`)];
}

function from(text: string): readonly string[] {
  const found = resolveSource(simulator, text);
  return "problem" in found ? [found.problem] : [found.name, ...found.endpoints.map(shown)];
}

describe("A destination", () => {
  test("is a Service where it has the port, at the pods' own ports, even if a workload has the name", () => {
    expect(to("shop/web")).toEqual(["Service shop/web", "shop/web-0:8080", "shop/web-1:8081"]);
    expect(to("shop/web", 81, "UDP")).toEqual(["Service shop/web", ...[0, 1, 2].map((i) => `shop/web-${i}:8081`)]);
    expect(to("db/postgres", 15_432)).toEqual(["Service db/postgres", "db/postgres:5432"]);
  });

  test("is at the asked port of every pod where the Service is headless, as nothing maps its ports", () => {
    const headless = `{apiVersion: v1, kind: Service, metadata: {name: peers, namespace: shop}, spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: http}]}}`;
    const peers = resolveDestination(simulatorOf(`${cluster}---\n${headless}`), "shop/peers", {
      port: 80,
      protocol: "TCP",
    });
    expect(peers).toMatchObject({ endpoints: [{ port: 80 }, { port: 80 }, { port: 80 }] });
  });

  test("is at a port that a headless Service does not list, since its list maps nothing", () => {
    const headless = `{apiVersion: v1, kind: Service, metadata: {name: peers, namespace: shop}, spec: {clusterIP: None, selector: {app: web}}}`;
    const asked = { port: 7000, protocol: "UDP" } as const;
    const peers = resolveDestination(simulatorOf(`${cluster}---\n${headless}`), "shop/peers", asked);
    expect(peers).toMatchObject({ endpoints: [{ port: 7000 }, { port: 7000 }, { port: 7000 }] });
  });

  test("is none behind a Service of type ExternalName, whatever that selects", () => {
    const spec = "type: ExternalName, externalName: db.example.com, selector: {app: web}";
    const service = (ports: string) =>
      `${cluster}---\n{apiVersion: v1, kind: Service, metadata: {name: far, namespace: shop}, spec: {${spec}, ports: [${ports}]}}`;
    const problem =
      "Service shop/far stands for the DNS name db.example.com and leads to no pod; name an address instead.";
    for (const ports of ["{port: 80}", ""]) {
      const simulator = simulatorOf(service(ports));
      const asked = { port: 80, protocol: "TCP" } as const;
      expect(resolveDestination(simulator, "shop/far", asked)).toMatchObject({ problem });
      expect(resolveSource(simulator, "shop/far")).toMatchObject({ problem });
    }
  });

  test("is the Service whose address it is, at the pods' own ports, and never an address outside", () => {
    const addressed = `{apiVersion: v1, kind: Service, metadata: {name: vip, namespace: shop}, spec: {clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9, "fd00::9"], selector: {app: web}, ports: [{port: 80, targetPort: http}]}}`;
    const here = simulatorOf(`${cluster}---\n${addressed}`);
    for (const address of ["10.96.0.9", "fd00:0::9"]) {
      expect(resolveDestination(here, address, { port: 80, protocol: "TCP" })).toMatchObject({
        endpoints: [{ port: 8080 }, { port: 8081 }],
        notes: [
          `${address} is the address of Service shop/vip.`,
          "1 of the Service's 3 pods have no TCP port named http and get nothing from it.",
        ],
      });
    }
    expect(resolveDestination(here, "10.96.0.9", { port: 81, protocol: "TCP" })).toMatchObject({
      problem: "Service shop/vip has no port TCP 81 (it has TCP 80).",
    });
    expect(to("10.96.0.9")).toEqual(["10.96.0.9", "10.96.0.9:80"]);
  });

  test("tells of pods that a Service does not lead to, and of what else has the name", () => {
    expect(resolveDestination(simulator, "shop/other", { port: 80, protocol: "TCP" })).toHaveProperty("notes", [
      "Service shop/other is meant, not shop/other[Deployment].",
      "1 of the Service's 3 pods have no TCP port named http and get nothing from it.",
    ]);
  });

  test("is a workload where the Service has another port, and says so", () => {
    const found = resolveDestination(simulator, "shop/web", { port: 8080, protocol: "TCP" });
    expect(found).toMatchObject({
      name: "shop/web[StatefulSet]",
      notes: [
        "Service shop/web has no port TCP 8080 (it has TCP 80, UDP 81): shop/web[StatefulSet] is meant, not the Service.",
      ],
    });
  });

  test("is a pod by its own name, even if a Service has the name and the port, and says so", () => {
    const one = simulatorOf(`
{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}`);
    expect(resolveDestination(one, "default/web", { port: 80, protocol: "TCP" })).toMatchObject({
      name: "pod default/web",
      endpoints: [{ port: 80 }],
      notes: ["pod default/web is meant, not the Service."],
    });
    expect(resolveDestination(one, "default/svc/web", { port: 80, protocol: "TCP" })).toMatchObject({
      name: "Service default/web",
      endpoints: [{ port: 8080 }],
    });
  });

  test("is what its kind says", () => {
    expect(to("shop/statefulset/web", 80)[0]).toBe("shop/web[StatefulSet]");
    expect(to("shop/sts/web", 80)[0]).toBe("shop/web[StatefulSet]");
    expect(to("shop/svc/web", 80)[0]).toBe("Service shop/web");
    expect(to("shop/pods/web-1", 80)).toEqual(["pod shop/web-1", "shop/web-1:80"]);
    expect(to("shop/deploy/web", 80)).toEqual(["There is no deploy shop/web."]);
  });

  test("may be an IPv6 address in brackets", () => {
    expect(to("[2001:db8::1]", 443)).toEqual(["2001:db8::1", "2001:db8::1:443"]);
  });

  test("is a pod by its address, and an address outside by itself", () => {
    expect(to("10.0.0.7", 80)).toEqual(["10.0.0.7", "shop/web-0:80"]);
    expect(to("10.0.0.8", 80)).toEqual(["10.0.0.8", "10.0.0.8:80"]);
    expect(to("2001:db8::/32", 80)).toEqual(["2001:db8::/32", "2001:db8:::80"]);
  });

  test.each([
    ["db/nobody", 1, "Service db/nobody has no pods: no pod has the labels that it selects."],
    ["db/byhand", 1, "Service db/byhand has no pods: it has no selector."],
    ["db/svc/postgres", 80, "Service db/postgres has no port TCP 80 (it has TCP 15432, TCP 9)."],
    ["db/postgres", 9, "Service db/postgres leads nowhere: none of its pods has a TCP port named none."],
    ["web", 80, '"web" is none of namespace/name, namespace/kind/name, an IP address, a CIDR or internet.'],
    ["127.0.0.1", 80, "127.0.0.1 is a loopback address: a pod always reaches itself by it, and nobody else."],
    ["[ff02::1]", 80, "ff02::1 is a multicast address: policies do not speak of those."],
    ["a/b/c/d", 80, '"a/b/c/d" is none of namespace/name, namespace/kind/name, an IP address, a CIDR or internet.'],
  ])("%s:%i is nothing, and why", (text, port, problem) => {
    expect(to(text, port)).toEqual([problem]);
  });
});

describe("A source", () => {
  test("is a pod, all pods of a workload, or those of a Service", () => {
    expect(from("shop/web-1")).toEqual(["pod shop/web-1", "shop/web-1"]);
    expect(from("shop/web")).toEqual(["shop/web[StatefulSet]", "shop/web-0", "shop/web-1", "shop/web-2"]);
    expect(from("shop/svc/web")[0]).toBe("pods of Service shop/web");
  });

  test("of two workloads of one name is the first by kind, and says that there is another", () => {
    expect(resolveSource(simulator, "db/postgres")).toMatchObject({
      name: "db/postgres[CronJob]",
      notes: [
        "db/postgres[CronJob] is meant; there is also a StatefulSet of that name (namespace/kind/name names it).",
      ],
    });
  });

  test("that is misspelt knows what there is", () => {
    expect(resolveSource(simulator, "shop/wbe")).toMatchObject({ typed: "wbe", known: ["other", "web"] });
    expect(resolveSource(simulator, "shp/web")).toMatchObject({ typed: "shp", known: ["db", "shop"] });
  });

  test("internet is public addresses only, one for each piece that the policies can tell apart", () => {
    const cut = simulatorOf(`{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p},
      spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 8.8.0.0/16, except: [8.8.8.8/32]}}, {ipBlock: {cidr: 10.0.0.0/8}}]}]}}`);
    const found = resolveSource(cut, "internet");
    const addresses = "endpoints" in found ? found.endpoints.map(shown) : [];
    expect(addresses).toEqual(
      expect.arrayContaining(["1.0.0.0", "8.8.0.0", "8.8.8.8", "8.8.8.9", "8.9.0.0", "11.0.0.0"]),
    );
    expect(addresses).not.toContain("10.0.0.0");
  });
});

describe("Asking", () => {
  function asked(text: string, source: string, destination: string, port: number) {
    const asking = simulatorOf(text);
    const ends = [resolveSource(asking, source), resolveDestination(asking, destination, { port, protocol: "TCP" })];
    return ask(asking, ends[0] as Source, ends[1] as Destination, "TCP");
  }

  const policy = (spec: string) =>
    `${cluster}---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: ${spec}}`;

  test("finds that pods of one Service are treated differently, with a case for each answer", () => {
    const text = policy("{podSelector: {}, ingress: [{ports: [{port: 8080}]}]}");
    const { verdict, cases } = asked(text, "db/sts/postgres", "shop/web", 80);
    expect(verdict).toBe("mixed");
    expect(cases.map(({ to: { port }, pairs, answer }) => [port, pairs, answer.verdict])).toEqual([
      [8080, 1, "allowed"],
      [8081, 1, "denied"],
    ]);
  });

  test("takes pods that no policy tells apart as one, and never a pod's way to itself for the others'", () => {
    const { verdict, cases } = asked(policy("{podSelector: {}}"), "shop/web", "shop/sts/web", 80);
    expect(verdict).toBe("denied");
    expect(cases.map(({ pairs }) => pairs)).toEqual([6]);
    expect(asked(policy("{podSelector: {}}"), "shop/web-0", "shop/web-0", 80).verdict).toBe("allowed");
  });

  test("takes a template's way to itself for the way between its pods", () => {
    const text = policy("{podSelector: {}}").replace("name: p, namespace: shop", "name: p, namespace: db");
    expect(asked(text, "db/sts/postgres", "db/sts/postgres", 5432).verdict).toBe("denied");
  });
});
