import { describe, expect, it } from "vitest";
import { configPath, readConfig } from "../../src/config.ts";
import { configFile } from "../../src/config-schema.ts";
import { policyApis } from "../../src/kubernetes/policy-apis.ts";
import { resources } from "../../src/kubernetes/resources.ts";
import { surroundingResources } from "../../src/kubernetes/surroundings.ts";
import { find, type Kustomization, type Manifest, read, readKustomization, readYaml } from "./manifests.ts";
import { expected, expectedOfEngines, expectedOfRollback, policyKinds, rights } from "./rights.ts";

const base = readKustomization("deploy/base");
const kustomization = readYaml<Kustomization>("deploy/base/kustomization.yaml");
const pod = find(base, "Deployment", "bulkhead").spec!.template.spec;
const container = pod.containers[0]!;

describe("the rights that deploy/ grants", () => {
  const canary = readKustomization("deploy/components/canary");
  const roles = [...base, ...canary].filter(({ rules }) => rules !== undefined);

  it("are exactly the table, role by role", () => {
    const granted = Object.fromEntries(roles.map((role) => [nameIn(roles, role), rights(role.rules!)]));
    expect(granted).toEqual(expected);
  });

  it("cover every kind of object that the bot reads", () => {
    const kinds = Object.values(resources).filter(({ plural }) => plural !== "configmaps");
    expect(kinds.length).toBeGreaterThan(8);
    for (const { group, plural } of kinds) {
      for (const verb of ["get", "list", "watch"]) {
        expect(expected["bulkhead-read"]).toContain(`${verb} ${group || "core"}/${plural}`);
      }
    }
  });

  it("cover what a plan reads beside, by just the verb it takes", () => {
    const wanted = Object.values(surroundingResources).map(
      ({ group, plural, verb }) => `${verb} ${group || "core"}/${plural}`,
    );
    const granted = expected["bulkhead-read"].filter((right) =>
      wanted.some((one) => one.endsWith(right.split(" ")[1]!)),
    );
    expect(granted.toSorted()).toEqual(wanted.toSorted());
  });

  it("cover every kind of policy that is read, and none beside", () => {
    const read = policyApis.flatMap(({ group, plurals }) => plurals.map((plural) => `${group}/${plural}`));
    expect(new Set(policyKinds)).toEqual(new Set(read));
  });

  it("hold no wildcard, no secret, no subresource and no right to grant rights", () => {
    // To RBAC the star of Calico's pseudo-resource is a letter of a name, and matches itself alone.
    const all = roles.flatMap((role) => rights(role.rules!)).map((right) => right.replace(/: bulkhead\.\*$/, ""));
    expect(all.length).toBeGreaterThan(40);
    for (const forbidden of ["*", "secrets", "pods/", "impersonate", "serviceaccounts/"]) {
      expect(all.filter((right) => right.includes(forbidden))).toEqual([]);
    }
    const identities = all.filter((right) => /rbac\.authorization\.k8s\.io|serviceaccounts/.test(right));
    for (const right of identities) expect(right).toMatch(/^(get|list) /);
  });

  it.each([
    ["engines", expectedOfEngines],
    ["rollback", expectedOfRollback],
  ])("of components/%s are exactly their table, for the bot alone", (name, table) => {
    const objects = readKustomization(`deploy/components/${name}`);
    const granted = objects.flatMap(({ metadata, rules }) => (rules ? [[metadata.name, rights(rules)]] : []));
    expect(Object.fromEntries(granted)).toEqual(table);
    const bindings = objects.filter(({ roleRef }) => roleRef !== undefined);
    expect(bindings.map(({ kind, roleRef, subjects }) => ({ kind, name: roleRef!.name, subjects }))).toEqual([
      { kind: "ClusterRoleBinding", name: Object.keys(table)[0], subjects: [bot] },
    ]);
  });

  it("let a rollback write every kind of policy that is watched, and patch none", () => {
    const written = [...expected["bulkhead-rollback"], ...expectedOfRollback["bulkhead-rollback-cluster"]];
    const kinds = (verb: string) =>
      written.flatMap((right) => (right.startsWith(`${verb} `) ? [right.slice(verb.length + 1)] : []));
    const watched = expected["bulkhead-read"].flatMap((right) => right.match(/^watch (\S+)/)?.slice(1) ?? []);
    for (const verb of ["create", "delete", "get", "update"]) {
      const own = kinds(verb).filter((kind) => !kind.includes("/tier."));
      expect(new Set(own)).toEqual(new Set(["networking.k8s.io/networkpolicies", ...policyKinds]));
      for (const kind of own) expect(watched).toContain(kind);
    }
    expect(kinds("patch")).toEqual([]);
  });

  it("reach the bot for reading everywhere, for writing nowhere", () => {
    const bindings = base.filter(({ roleRef }) => roleRef !== undefined);
    expect(bindings.map(({ kind, roleRef }) => `${kind} of ${roleRef!.kind} ${roleRef!.name}`)).toEqual([
      "ClusterRoleBinding of ClusterRole bulkhead-read",
      "RoleBinding of Role bulkhead-records",
      "ClusterRoleBinding of ClusterRole bulkhead-reaper-read",
      "RoleBinding of Role bulkhead-reaper-heartbeat",
    ]);
    for (const { metadata, subjects } of bindings) {
      expect(subjects).toEqual([metadata.name.startsWith("bulkhead-reaper") ? reaper : bot]);
    }
  });

  it("reach the canary's namespace, which holds nothing else, by the component alone, for the bot alone", () => {
    expect(canary.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`)).toEqual([
      "Namespace /bulkhead-canary",
      "Role bulkhead-canary/bulkhead-canary",
      "RoleBinding bulkhead-canary/bulkhead-canary",
      "ClusterRole /bulkhead-canary",
      "ClusterRoleBinding /bulkhead-canary",
    ]);
    const bindings = canary.filter(({ roleRef }) => roleRef !== undefined);
    for (const { subjects, kind, roleRef } of bindings) {
      expect(subjects).toEqual([bot]);
      expect(roleRef).toMatchObject({ kind: kind.replace("Binding", ""), name: "bulkhead-canary" });
    }
    const { metadata } = find(canary, "Namespace", configFile.parse({}).canary.namespace);
    expect(metadata.labels).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
  });

  it("reach a namespace that opts in by one RoleBinding for the bot, and one for its reaper", () => {
    const objects = readKustomization("deploy/opt-in");
    expect(objects.map(({ kind, roleRef, subjects }) => ({ kind, roleRef, subjects }))).toEqual([
      {
        kind: "RoleBinding",
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "bulkhead-write" },
        subjects: [bot],
      },
      {
        kind: "RoleBinding",
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "bulkhead-reaper" },
        subjects: [reaper],
      },
    ]);
    expect(readYaml<Kustomization>("deploy/opt-in/kustomization.yaml").namespace).toBeTruthy();
  });

  it("reach people at a terminal by one group, named once in each binding", () => {
    const objects = readKustomization("deploy/terminal");
    expect(objects.map(({ kind, roleRef }) => `${kind} of ${roleRef!.kind} ${roleRef!.name}`)).toEqual([
      "ClusterRoleBinding of ClusterRole bulkhead-terminal",
      "RoleBinding of Role bulkhead-terminal",
    ]);
    expect(objects.map(({ subjects }) => subjects!.map(({ kind, name }) => `${kind} ${name}`))).toEqual([
      ["Group on-call"],
      ["Group on-call"],
    ]);
  });
});

describe("the bot's pod", () => {
  it("meets the restricted Pod Security Standard, on a read-only root", () => {
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    for (const shared of ["hostNetwork", "hostPID", "hostIPC", "initContainers"])
      expect(pod).not.toHaveProperty(shared);
    expect(pod.containers).toHaveLength(1);
    expect(find(base, "Namespace", "bulkhead").metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
    });
  });

  it("runs as the user that the Dockerfile names", () => {
    expect(read("Dockerfile")).toMatch(/^USER 1000:1000$/m);
  });

  it("is asked whether it lives and whether it is ready on the port it names", () => {
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    expect(probes.map(({ httpGet }) => `${httpGet.port}${httpGet.path}`)).toEqual([
      "http/livez",
      "http/livez",
      "http/readyz",
    ]);
    expect(container.ports).toEqual([{ name: "http", containerPort: 8080 }]);
    expect(find(base, "Service", "bulkhead").spec).toMatchObject({
      type: "ClusterIP",
      ports: [{ name: "http", port: 8080, targetPort: "http" }],
    });
  });

  it("has bounded memory, and writes to two bounded folders alone: its spool and /tmp", () => {
    expect(container.resources).toMatchObject({ requests: { memory: "192Mi" }, limits: { memory: "512Mi" } });
    const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true);
    expect(writable).toEqual([
      { name: "spool", mountPath: "/var/lib/bulkhead/spool" },
      { name: "tmp", mountPath: "/tmp" },
    ]);
    expect(container.env).toContainEqual({ name: "BULKHEAD_SPOOL", value: "/var/lib/bulkhead/spool" });
    expect(pod.volumes).toEqual(
      expect.arrayContaining([
        { name: "config", configMap: { name: "bulkhead-config" } },
        { name: "spool", emptyDir: { sizeLimit: "128Mi" } },
        { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
      ]),
    );
    expect(pod.volumes.map(({ name }) => name)).toEqual(container.volumeMounts.map(({ name }) => name));
  });

  it("mounts a token that lives an hour, where clients look for it; nothing else in the namespace gets one", () => {
    expect(pod).toMatchObject({ serviceAccountName: "bulkhead", automountServiceAccountToken: false });
    expect(find(base, "ServiceAccount", "bulkhead")).toMatchObject({ automountServiceAccountToken: false });
    const { projected } = pod.volumes.find(({ name }) => name === "token")!;
    expect(projected!.sources).toEqual([
      { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ]);
    expect(container.volumeMounts).toContainEqual({
      name: "token",
      mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
      readOnly: true,
    });
  });

  it("is replaced without a gap, and is given more time than it takes to end, a preStop pause of 5 s included", () => {
    expect(find(base, "Deployment", "bulkhead").spec).toMatchObject({
      replicas: 1,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    });
    const [, ...limits] = /briefMs: ([\d_]+), drainMs: ([\d_]+)/.exec(read("src/shutdown.ts")) ?? [];
    const [briefMs, drainMs] = limits.map((ms) => Number(ms.replaceAll("_", "")));
    expect(pod["terminationGracePeriodSeconds"]).toBeGreaterThan((3 * briefMs! + drainMs!) / 1_000 + 5);
  });
});

describe("the reaper", () => {
  const job = find(base, "CronJob", "bulkhead-reaper").spec as unknown as CronJobSpec;
  const { metadata, spec } = job.jobTemplate.spec.template;

  it("runs every minute, never two at a time, each run within its minute and a half, and no other of its kind is kept from starting", () => {
    expect(job).toMatchObject({ schedule: "* * * * *", concurrencyPolicy: "Forbid", startingDeadlineSeconds: 50 });
    expect(job.jobTemplate.spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 90 });
    const [, withinMs = ""] = /withinMs = ([\d_]+)/.exec(read("src/reap-tool.ts")) ?? [];
    expect(Number(withinMs.replaceAll("_", ""))).toBeLessThan(60_000);
  });

  it("needs neither Redis nor Slack, runs the bot's image and configuration, and is selected by nothing that selects the bot", () => {
    const [runs] = spec.containers;
    expect(runs).toMatchObject({ image: container.image, command: ["node", "src/cli.ts", "reap"] });
    expect(runs!.env.map(({ name }) => name)).toEqual(["POD_NAMESPACE"]);
    expect(runs!.securityContext).toEqual(container.securityContext);
    expect(spec).toMatchObject({ serviceAccountName: "bulkhead-reaper", automountServiceAccountToken: false });
    expect(spec.securityContext).toEqual(pod.securityContext);
    expect(spec.volumes).toContainEqual({ name: "config", configMap: { name: "bulkhead-config" } });
    expect(metadata.labels).toEqual({ "app.kubernetes.io/name": "bulkhead-reaper" });
  });
});

type CronJobSpec = {
  readonly jobTemplate: { readonly spec: { readonly template: NonNullable<Manifest["spec"]>["template"] } };
};

describe("configuration and secrets", () => {
  it("come from one config.yaml, under a name that the terminal can ask for, and cannot be rewritten in place", () => {
    expect(kustomization.configMapGenerator).toEqual([
      { name: "bulkhead-config", files: ["config.yaml"], options: { disableNameSuffixHash: true, immutable: true } },
    ]);
    expect(readYaml("deploy/base/config.yaml")).toMatchObject({ protectedNamespaces: ["kube-system"], access: [] });
  });

  it("are what the bot reads: the shipped file and environment are no problem, and let nobody do anything", () => {
    const given: Record<string, string> = {
      SLACK_BOT_TOKEN: "xoxb-1",
      SLACK_APP_TOKEN: "xapp-1",
      REDIS_URL: "redis://redis.bulkhead:6379",
      POD_NAMESPACE: "bulkhead",
      BULKHEAD_SPOOL: "/var/lib/bulkhead/spool",
    };
    const env = Object.fromEntries(container.env.map(({ name }) => [name, given[name]]));
    expect(env).toEqual(given);
    expect(configPath(env)).toBe(`${container.volumeMounts[0]!.mountPath}/config.yaml`);
    expect(readConfig(env, read("deploy/base/config.yaml"), () => undefined)).toMatchObject({
      config: {
        settings: {
          access: { rules: [], people: [] },
          protectedNamespaces: ["kube-system"],
          ownNamespace: "bulkhead",
          settleMs: 2_000,
          detach: true,
          limits: { pods: 5, perPerson: 10, perCluster: 30 },
        },
        clusters: [{ name: "default", enforcement: "unknown" }],
        slack: { botToken: "xoxb-1", appToken: "xapp-1", command: "/np" },
        redisUrl: "redis://redis.bulkhead:6379",
        port: container.ports[0]!.containerPort,
      },
    });
  });

  it("need a Secret with exactly the keys of the example, which no kustomization ships", () => {
    const [example, ...more] = parseExample();
    expect(more).toEqual([]);
    expect(example!.metadata).toEqual({ name: "bulkhead-secrets", namespace: "bulkhead" });
    const fromSecret = container.env.filter(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined);
    expect(fromSecret.map(({ name, valueFrom }) => [name, valueFrom!.secretKeyRef])).toEqual(
      Object.keys(example!.stringData!).map((key) => [key, { name: "bulkhead-secrets", key }]),
    );
    expect(base.filter(({ kind }) => kind === "Secret")).toEqual([]);
  });

  it("hold placeholders in the example, nothing that looks like a credential", () => {
    expect(Object.values(parseExample()[0]!.stringData!).filter((value) => !/<.+>/.test(value))).toEqual([]);
  });

  it("name the image by the version of package.json", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    expect(kustomization.images).toEqual([{ name: container.image, newTag: version }]);
    expect(container.image).toBe("bulkhead");
  });
});

const reaper = { kind: "ServiceAccount", name: "bulkhead-reaper", namespace: "bulkhead" };
const bot = { kind: "ServiceAccount", name: "bulkhead", namespace: "bulkhead" };

/** The kind distinguishes a ClusterRole and a Role of one name. */
function nameIn(roles: readonly Manifest[], { kind, metadata: { name } }: Manifest): string {
  return roles.filter((role) => role.metadata.name === name).length > 1 ? `${kind}/${name}` : name;
}

function parseExample(): readonly Manifest[] {
  return [readYaml<Manifest>("deploy/secrets.example.yaml")];
}
