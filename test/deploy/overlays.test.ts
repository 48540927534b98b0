import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { checkout, find, type Manifest, readYaml } from "./manifests.ts";
import { hasKubectl, render, renderOwn } from "./rendered.ts";

const everything = ["ha", "network-policy", "redis", "priority", "engines", "rollback"].map(
  (name) => `../components/${name}`,
);

describe.runIf(hasKubectl)("what kubectl makes of the overlays", () => {
  it.each([
    ["ha", 2],
    ["ha-3", 3],
  ])("%s is the base with %i replicas, apart from each other, of which one is always there", (name, replicas) => {
    const [base, overlay] = [render("deploy/base"), render(`deploy/overlays/${name}`)];
    const added = overlay.filter((object) => !keys(base).includes(key(object)));
    expect(added.map(key)).toEqual(["PodDisruptionBudget/bulkhead"]);
    expect(keys(overlay)).toEqual(expect.arrayContaining([...keys(base)]));
    const deployment = find(overlay, "Deployment", "bulkhead");
    expect(deployment.spec).toMatchObject({ replicas, strategy: { rollingUpdate: { maxUnavailable: 0 } } });
    const { labels } = deployment.spec!.template.metadata;
    expect(deployment.spec!.template.spec["topologySpreadConstraints"]).toEqual(
      ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: labels },
      })),
    );
    expect(find(overlay, "PodDisruptionBudget", "bulkhead")).toMatchObject({
      apiVersion: "policy/v1",
      spec: { minAvailable: 1, selector: { matchLabels: labels } },
    });
  });
});

describe.runIf(hasKubectl)("what kubectl makes of the components, all together", () => {
  const objects = hasKubectl ? renderOwn({ resources: ["../base"], components: everything }) : [];
  const bot = () => find(objects, "Deployment", "bulkhead").spec!.template;
  const redis = () => find(objects, "StatefulSet", "bulkhead-redis").spec!.template;

  it("lies in the bot's namespace, but for what belongs to the cluster, and ships no Secret", () => {
    const clusterScoped = ["Namespace", "ClusterRole", "ClusterRoleBinding", "PriorityClass"];
    for (const { kind, metadata } of objects) {
      expect(metadata.namespace).toBe(clusterScoped.includes(kind) ? undefined : "bulkhead");
    }
    expect(objects.length).toBeGreaterThan(18);
    expect(objects.filter(({ kind }) => kind === "Secret")).toEqual([]);
  });

  it("has no two selectors that meet: what selects the bot does not select its Redis", () => {
    expect(bot().metadata.labels).toEqual({ "app.kubernetes.io/name": "bulkhead" });
    expect(redis().metadata.labels).toEqual({ "app.kubernetes.io/name": "bulkhead-redis" });
    const selectors = objects.flatMap(({ kind, metadata, spec }) =>
      ["Service", "PodDisruptionBudget", "NetworkPolicy"].includes(kind) ? [[metadata.name, selectorOf(spec)]] : [],
    );
    expect(selectors.length).toBe(7);
    for (const [name, selector] of selectors) expect(selector).toEqual({ "app.kubernetes.io/name": name });
  });

  it("lets into the bot what scrapes it, and out of it DNS, Slack, API servers and Redis", () => {
    const { spec } = find(objects, "NetworkPolicy", "bulkhead");
    expect(spec).toMatchObject({ policyTypes: ["Ingress", "Egress"] });
    const [ingress, ...more] = rules(spec, "ingress");
    expect(more).toEqual([]);
    expect(ingress).toEqual({
      from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }],
      ports: [{ protocol: "TCP", port: "http" }],
    });
    const [port] = bot().spec.containers[0]!.ports;
    expect(port!.name).toBe("http");
    const open = rules(spec, "egress").flatMap(({ to, ports }) =>
      ports.map((one) => `${one.protocol} ${one.port}${to === undefined ? "" : " somewhere"}`),
    );
    expect(open).toEqual([
      "UDP 53",
      "TCP 53",
      "TCP 443",
      "TCP 6443",
      "TCP 6379 somewhere",
      "TCP 6380 somewhere",
      "TCP 26379 somewhere",
    ]);
  });

  it("lets nobody but the bot into Redis, and Redis nowhere", () => {
    expect(find(objects, "NetworkPolicy", "bulkhead-redis").spec).toEqual({
      podSelector: { matchLabels: redis().metadata.labels },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [{ podSelector: { matchLabels: bot().metadata.labels } }],
          ports: [{ protocol: "TCP", port: "redis" }],
        },
      ],
    });
    expect(redis().spec.containers[0]!.ports).toEqual([{ name: "redis", containerPort: 6379 }]);
  });

  it("runs Redis by the restricted Pod Security Standard, without a token, on a volume of its own", () => {
    const { spec } = redis();
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    });
    const [container] = spec.containers;
    expect(container!.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container!.volumeMounts.filter(({ readOnly }) => !readOnly).map(({ mountPath }) => mountPath)).toEqual([
      "/data",
      "/run/bulkhead-redis",
    ]);
    expect(find(objects, "StatefulSet", "bulkhead-redis").spec!["volumeClaimTemplates"]).toMatchObject([
      { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } },
    ]);
  });

  it("mounts the files that the start script reads, by a name that follows their content", () => {
    const config = objects.find(
      ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith("bulkhead-redis-"),
    );
    expect(Object.keys(config!.data!).toSorted()).toEqual(["redis.conf", "start.sh", "users.acl"]);
    expect(redis().spec.volumes).toContainEqual({ name: "config", configMap: { name: config!.metadata.name } });
  });

  it("gives the bot the priority class that it brings", () => {
    expect(bot().spec["priorityClassName"]).toBe(find(objects, "PriorityClass", "bulkhead").metadata.name);
  });
});

describe.runIf(hasKubectl)("what kubectl makes of the component http", () => {
  const objects = hasKubectl ? renderOwn({ resources: ["../base"], components: ["../components/http"] }) : [];
  const container = () => find(objects, "Deployment", "bulkhead").spec!.template.spec.containers[0]!;

  it("has the signing secret in place of the app token, which is what the bot then needs", () => {
    const names = container().env.map(({ name }) => name);
    expect(names).toContain("SLACK_SIGNING_SECRET");
    expect(names).not.toContain("SLACK_APP_TOKEN");
    const given: Record<string, string> = {
      SLACK_BOT_TOKEN: "xoxb-1",
      REDIS_URL: "redis://r",
      KUBERNETES_SERVICE_HOST: "x",
    };
    const env = { ...given, SLACK_SIGNING_SECRET: "0123456789abcdef0123456789abcdef" };
    expect(readConfig(env, "slack: { mode: http }", () => undefined, "bot")).toMatchObject({
      config: { slack: { mode: "http", port: 3000 } },
    });
  });

  it("sends a pod that is ending no more calls while its port still takes those under way", () => {
    expect(find(objects, "Service", "bulkhead-slack").spec).not.toHaveProperty("publishNotReadyAddresses");
    expect(container()).toMatchObject({
      lifecycle: { preStop: { exec: { command: ["sleep", "5"] } } },
      readinessProbe: { httpGet: { path: "/readyz" } },
    });
  });

  it("leads from the Ingress of the example to the port that the bot listens on, by that path alone", () => {
    expect(container().ports).toContainEqual({ name: "slack", containerPort: 3000 });
    const service = find(objects, "Service", "bulkhead-slack");
    expect(service.spec).toMatchObject({ ports: [{ name: "slack", targetPort: "slack" }] });
    const ingress = readYaml<{ spec: { rules: { http: { paths: unknown } }[] } }>(
      "deploy/components/http/ingress.example.yaml",
    );
    expect(ingress.spec.rules.map(({ http }) => http.paths)).toEqual([
      [
        {
          path: "/slack/events",
          pathType: "Exact",
          backend: { service: { name: service.metadata.name, port: { name: "slack" } } },
        },
      ],
    ]);
    expect(rules(find(objects, "NetworkPolicy", "bulkhead-slack").spec, "ingress")).toEqual([
      {
        from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } } }],
        ports: [{ protocol: "TCP", port: "slack" }],
      },
    ]);
  });
});

it.runIf(hasKubectl)("remote is the account and its rights, and nothing that runs or is configured", () => {
  const base = keys(render("deploy/base"));
  const remote = render("deploy/remote");
  expect(keys(remote).filter((one) => !base.includes(one))).toEqual(["Secret/bulkhead-remote"]);
  expect(new Set(keys(remote))).toEqual(
    new Set([
      "Namespace/bulkhead",
      "ServiceAccount/bulkhead",
      "ClusterRole/bulkhead-read",
      "ClusterRole/bulkhead-write",
      "ClusterRole/bulkhead-write-engines",
      "ClusterRole/bulkhead-amend",
      "ClusterRole/bulkhead-rollback",
      // Nobody bears it there; a namespace that opts in binds it all the same.
      "ClusterRole/bulkhead-reaper",
      "ClusterRole/bulkhead-terminal",
      "ClusterRoleBinding/bulkhead-read",
      "Secret/bulkhead-remote",
    ]),
  );
  expect(find(remote, "Secret", "bulkhead-remote")).not.toHaveProperty("data");
});

describe.runIf(hasKubectl)("ConfigMaps, which whoever may write records may update in the bot's namespace", () => {
  const inFolder = (folder: string) => readdirSync(`${checkout}deploy/${folder}`).map((name) => `${folder}/${name}`);

  it.each(["base", ...inFolder("overlays"), ...inFolder("components")])("are all immutable in deploy/%s", (path) => {
    const withBase = { resources: ["../base"], components: [`../${path}`] };
    const objects = path.startsWith("components/") ? renderOwn(withBase) : render(`deploy/${path}`);
    const maps = objects.filter(({ kind }) => kind === "ConfigMap");
    expect(maps.map(({ metadata }) => metadata.name)).toContain("bulkhead-config");
    for (const map of maps) expect(map, map.metadata.name).toMatchObject({ immutable: true });
  });
});

type Rule = {
  readonly to?: unknown;
  readonly ports: readonly { readonly protocol: string; readonly port: number | string }[];
};

function rules(spec: Manifest["spec"], direction: "ingress" | "egress"): readonly Rule[] {
  return spec![direction] as readonly Rule[];
}

function selectorOf(spec: Manifest["spec"]): unknown {
  const { selector, podSelector } = spec as {
    selector?: Record<string, unknown>;
    podSelector?: Record<string, unknown>;
  };
  const given = podSelector ?? selector;
  return given?.["matchLabels"] ?? given;
}

function key({ kind, metadata: { name } }: Manifest): string {
  return `${kind}/${name}`;
}

function keys(objects: readonly Manifest[]): readonly string[] {
  return objects.map(key);
}
