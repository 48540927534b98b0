import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseAllowanceName } from "../../src/policy/allowance.ts";
import { marks } from "../../src/policy/marks.ts";
import type { NetworkPolicy } from "../../src/policy/objects.ts";
import type { Template } from "../../src/policy/template.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { waitFor } from "../wait.ts";
import { allowTemplate } from "./allow-template.ts";
import { startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let templates: readonly Template[] = [];

beforeEach(async () => {
  templates = [egress(), between(), intoShop()];
  const principals = ["slack:T1/U1"];
  desk = await startDesk({
    services: { templates: { all: () => templates, problems: () => [] } },
    settings: {
      access: {
        rules: [
          { principals, verbs: ["*"], namespaces: ["payments", "shop", "db"] },
          { principals: ["slack:T1/U2"], verbs: ["allow"], namespaces: ["payments"] },
        ],
        people: [],
      },
    },
  });
  desk.sandbox.apply(...seedObjects());
  await waitFor(() => desk.sandbox.objects("Pod").length > 10);
});

afterEach(() => desk.close());

const egress = () =>
  allowTemplate(
    "egress-to-cidr",
    `parameters:
  workload: { type: workload, about: whose pods may connect }
  cidr: { type: cidr, widest: { ipv4: 24 }, about: where to }
  port: { type: port, default: 443, about: the port }
opens:
  - { from: { workload: $workload }, to: { cidr: $cidr }, ports: [{ port: $port, protocol: TCP }] }`,
  );

const between = () =>
  allowTemplate(
    "between",
    `parameters:
  from: { type: workload, about: who connects }
  to: { type: workload, about: whom to }
  port: { type: port, about: the port }
opens:
  - { from: { workload: $from }, to: { workload: $to }, ports: [{ port: $port, protocol: TCP }] }`,
  );

const intoShop = () =>
  allowTemplate(
    "into",
    `parameters:
  to: { type: workload, about: whom to }
  namespace: { type: namespace, about: from where }
opens:
  - { from: { namespace: $namespace }, to: { workload: $to }, ports: [{ port: 8081, protocol: TCP }] }`,
  );

function allowances(): readonly NetworkPolicy[] {
  return desk.sandbox
    .objects("NetworkPolicy")
    .filter((object) => object.metadata.labels?.[marks.kind] === "allowance") as unknown as readonly NetworkPolicy[];
}

async function open(text: string) {
  const planned = await desk.type(text);
  expect(planned.headline).toMatch(/^Plan: allow /);
  const id = planned.operation ?? "";
  return desk.press("confirm", id);
}

const toBank = "allow egress-to-cidr workload=payments/deploy/checkout cidr=198.51.100.0/24";

describe("An allowance", () => {
  test("is planned with what opens by all policies, and opens exactly that once it is confirmed", async () => {
    const planned = await desk.type(`${toBank} for 20m the bank moved`);
    const words = wordsIn(planned);
    expect(planned.headline).toBe("Plan: allow egress-to-cidr in namespace payments");
    expect(words).toContain("payments/checkout (Deployment) → 198.51.100.0-198.51.100.255 on TCP 443");
    expect(words).toContain("By itself 20m after it is written");
    expect(allowances()).toEqual([]);
    const done = await desk.press("confirm", planned.operation);
    expect(done.headline).toMatch(/^OPEN until \d\d:\d\d:\d\d UTC: egress-to-cidr in payments$/);
    const [object, ...others] = allowances();
    expect(others).toEqual([]);
    expect(parseAllowanceName(object?.metadata.name ?? "")).toMatchObject({ ttlSeconds: 1_200, maxSeconds: 14_400 });
    expect(object?.spec).toEqual({
      podSelector: {
        matchLabels: { app: "checkout" },
        matchExpressions: [{ key: marks.quarantine, operator: "DoesNotExist" }],
      },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "198.51.100.0/24" } }], ports: [{ protocol: "TCP", port: 443 }] }],
    });
    expect(object?.metadata.annotations).toMatchObject({
      [marks.ttlSeconds]: "1200",
      [marks.reason]: "the bank moved",
      [marks.template]: `egress-to-cidr@${egress().version}`,
    });
    expect(await desk.services.timers?.count()).toBe(1);
  });

  test("of two sides that are both closed opens both, each by an object of its own", async () => {
    await open("allow between from=payments/checkout to=db/postgres port=5432 for 5m");
    expect(allowances().map(({ metadata, spec }) => [metadata.namespace, spec.policyTypes])).toEqual([
      ["db", ["Ingress"]],
      ["payments", ["Egress"]],
    ]);
  });

  test("leaves a side alone that nothing isolates: the first policy there would isolate it", async () => {
    await open("allow into to=shop/cart namespace=monitoring");
    expect(allowances().map(({ metadata, spec }) => [metadata.namespace, spec.policyTypes])).toEqual([
      ["shop", ["Ingress"]],
    ]);
  });
});

describe("What is refused, with nothing written", () => {
  test.each([
    ["a path that is open already", "allow between from=shop/frontend to=shop/cart port=8081", "open already"],
    ["an unknown template", "allow egress-to-cdir workload=payments/checkout", "Did you mean egress-to-cidr?"],
    ["a value that is missing", "allow egress-to-cidr workload=payments/checkout", "idr is missing: where to"],
    [
      "a block that is too wide",
      `allow egress-to-cidr workload=payments/checkout cidr=198.51.0.0/16`,
      "wider than /24",
    ],
    ["more time than the template has", `${toBank} for 3h`, "more than the 2h"],
    [
      "a workload that is not there",
      "allow egress-to-cidr workload=payments/chekout cidr=198.51.100.0/24",
      "no Deployment chekout",
    ],
    ["a parameter that there is not", `${toBank} pod=x`, "no parameter pod"],
  ])("%s", async (_, text, why) => {
    const reply = await desk.type(text);
    expect(reply.outcome).toBe("refused");
    expect(wordsIn(reply)).toContain(why);
    expect(allowances()).toEqual([]);
  });

  test("the side of another namespace where the person may not allow", async () => {
    const reply = await desk.type("allow between from=payments/checkout to=db/postgres port=5432", bobby);
    expect(wordsIn(reply)).toContain("he other side lies in namespace db");
    expect(allowances()).toEqual([]);
  });

  test("what a lockdown cuts off", async () => {
    const lockdown = await desk.type("lockdown shop --confirm shop");
    await desk.press("confirm", lockdown.operation);
    await desk.press("confirm-again", lockdown.operation);
    const reply = await desk.type("allow into to=shop/cart namespace=monitoring");
    expect(wordsIn(reply)).toContain(`are cut off by lockdown ${lockdown.operation}`);
    expect(allowances()).toEqual([]);
  });

  test("a plan whose template was edited in between is shown anew", async () => {
    const planned = await desk.type(toBank);
    const edited = egress();
    templates = [{ ...edited, version: "0123456789ab", ttl: { ...edited.ttl, totalMs: 10_800_000 } }];
    const again = await desk.press("confirm", planned.operation);
    expect(wordsIn(again)).toContain("The cluster changed since this plan was shown");
    expect(allowances()).toEqual([]);
  });
});

const bobby = { kind: "slack", enterprise: undefined, team: "T1", user: "U2", displayName: "bob" } as const;

test("A lockdown ends the allowances on its pods, on both sides, and says so", async () => {
  const opened = await open("allow between from=payments/checkout to=db/postgres port=5432");
  const planned = await desk.type("lockdown payments --confirm payments");
  expect(wordsIn(planned)).toContain(`Allowances that this ends","items":["${opened.operation}"]`);
  await desk.press("confirm", planned.operation);
  await desk.press("confirm-again", planned.operation);
  expect(allowances()).toEqual([]);
});

const group = "policy.networking.k8s.io";

test("Where another API may deny it, the plan says that it is not certain, and names the policy", async () => {
  desk.sandbox.apply(
    {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `adminnetworkpolicies.${group}` },
      spec: {
        group,
        scope: "Cluster",
        names: { plural: "adminnetworkpolicies", singular: "adminnetworkpolicy", kind: "AdminNetworkPolicy" },
        versions: [{ name: "v1alpha1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    },
    {
      apiVersion: `${group}/v1alpha1`,
      kind: "AdminNetworkPolicy",
      metadata: { name: "no-bank" },
      spec: {
        priority: 10,
        subject: { namespaces: { matchLabels: { team: "payments" } } },
        egress: [{ name: "deny", action: "Deny", to: [{ networks: ["198.51.100.0/24"] }] }],
      },
    },
  );
  const reply = await desk.type(toBank);
  expect(reply.outcome).toBe("needs-confirmation");
  expect(wordsIn(reply)).toMatch(/Not certain: out of payments\/deployment\/checkout[^"]*AdminNetworkPolicy no-bank/);
});

test("Pods on the host's network are no end that a policy could name", async () => {
  const labels = { agent: "edge" };
  desk.sandbox.apply({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "edge", namespace: "shop" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { hostNetwork: true, containers: [{ name: "main", image: "x" }] } },
    },
  });
  await waitFor(() => desk.sandbox.objects("Pod").some(({ metadata }) => metadata.labels?.["agent"] === "edge"));
  const reply = await desk.type("allow between from=shop/edge to=payments/checkout port=8080");
  expect(wordsIn(reply)).toContain("he pods of shop/daemonset/edge are on the host's network");
});

describe("An allowance in force", () => {
  test("is ended early by a person, which is told with how long before its end, and once", async () => {
    const { operation = "" } = await open(toBank);
    const ended = await desk.type(`end ${operation} the bank is back`);
    expect(ended.headline).toMatch(
      /^CLOSED: egress-to-cidr in payments, ended by alice \(U1\) 29m \d+s before its end$/,
    );
    expect(allowances()).toEqual([]);
    const again = await desk.type(`end ${operation}`);
    expect(again.outcome).toBe("refused");
    expect(wordsIn(again)).toContain("has ended");
    const entries = await desk.services.audit.read({});
    expect(entries.filter(({ id }) => id === `${operation}:ended`)).toHaveLength(1);
  });

  test("is ended where Redis is away, by whoever may", async () => {
    const { operation = "" } = await open(toBank);
    const away = () => Promise.reject(new Error("Redis does not answer"));
    const operations = { ...desk.services.operations, get: away, startingWith: away, replaceAndHold: away };
    Object.assign(desk.services, { operations });
    const ended = await desk.type(`end ${operation}`);
    expect(ended.headline).toBe(`Closed: ${operation}`);
    expect(allowances()).toEqual([]);
  });

  test("is not ended by somebody without a right to allow or to cut off, nor extended", async () => {
    const { operation = "" } = await open("allow into to=shop/cart namespace=monitoring");
    for (const text of [`end ${operation}`, `extend ${operation} 10m`]) {
      expect((await desk.type(text, bobby)).outcome).toBe("refused");
    }
    expect(allowances()).toHaveLength(1);
  });

  test("holds for longer once it is extended: on its objects, in its record, in the audit", async () => {
    const { operation = "" } = await open(`${toBank} for 20m`);
    const extended = await desk.type(`extend ${operation} 10m the bank is slow`);
    expect(extended.headline).toMatch(/^Extended until \d\d:\d\d:\d\d UTC: a-/);
    expect(allowances()[0]?.metadata.annotations?.[marks.ttlSeconds]).toBe("1800");
    const stored = await desk.services.operations.get(operation);
    expect(stored?.allowance).toMatchObject({ ttlSeconds: 1_800, maxSeconds: 14_400 });
    expect(stored?.allowance?.extending).toBeUndefined();
    const ids = (await desk.services.audit.read({})).map(({ id }) => id);
    expect(ids).toContain(`${operation}:intent:extend-1800`);
    expect(ids).toContain(`${operation}:outcome:extend-1800`);
  });

  test.each([
    ["beyond the template's most", "5h", "may hold for 4h in all, so 3h 30m more at most"],
    ["by less than a second", "0s", "By how much?"],
    ["that is none", "a-0000000", "there is no operation"],
  ])("is not extended %s", async (_, time, why) => {
    const { operation = "" } = await open(toBank);
    const reply = await desk.type(time.startsWith("a-") ? `extend ${time} 10m` : `extend ${operation} ${time}`);
    expect(["refused", "usage"]).toContain(reply.outcome);
    expect(wordsIn(reply).toLowerCase()).toContain(why.toLowerCase());
    expect(allowances()[0]?.metadata.annotations?.[marks.ttlSeconds]).toBe("1800");
  });

  test("that has just ended is not extended: its objects decide", async () => {
    const { operation = "" } = await open(toBank);
    const { cluster } = desk.services.clusters.get("sandbox")!;
    for (const object of await cluster.listAllowances()) {
      await cluster.deleteObject(object, object.metadata as { uid: string; resourceVersion: string });
    }
    const reply = await desk.type(`extend ${operation} 10m`);
    expect(wordsIn(reply)).toContain("t has just ended");
    expect((await desk.services.operations.get(operation))?.allowance?.extending).toBeUndefined();
  });
});

test("Nothing is opened in a cluster that the reaper has not read lately, unless configured so", async () => {
  Object.assign(desk.services.settings, { requiresReaper: true });
  const reply = await desk.type(toBank);
  expect(reply.outcome).toBe("refused");
  expect(wordsIn(reply)).toContain(
    "he reaper, which closes what is open where every replica is gone, has never been here",
  );
});

test("status says what is open until when, by the cluster's own objects", async () => {
  const { operation = "" } = await open(`${toBank} for 20m the bank moved`);
  const words = wordsIn(await desk.type("status"));
  expect(words).toMatch(
    new RegExp(
      `${operation}: egress-to-cidr in payments open until [^"]*, (20m|19m \\d+s) more, by slack:T1/U1: the bank moved`,
    ),
  );
});
