import { describe, expect, test } from "vitest";
import { type DetectOptions, detectEngines } from "../../src/engines/detect.ts";
import type { DenyEngine, Detection, EngineState } from "../../src/policy/engine.ts";
import type { Agent, EngineEvidence } from "../../src/policy/evidence.ts";
import type { Enforcement } from "../../src/policy/plan.ts";
import { agent, antreaAgents, antreaGates, evidenceOf, forbidden, kinds, read, readAt } from "./evidence.ts";

type Options = Partial<DetectOptions> & { readonly configured?: Enforcement };

function detect(evidence: EngineEvidence, { configured = "unknown", ...options }: Options = {}): Detection {
  return detectEngines(evidence, configured, { now: readAt, ...options });
}

function state(detection: Detection, engine: DenyEngine): EngineState {
  return detection.engines.find((each) => each.engine === engine)!;
}

/** `{ cilium: "enforced", … }` of those that are not known not to be enforced. */
function states(detection: Detection): Record<string, string> {
  const some = detection.engines.filter((each) => each.state !== "not-enforced");
  return Object.fromEntries(some.map((each) => [each.engine, each.state]));
}

function withCilium(config: Record<string, string> = {}, given: Partial<Agent> = {}): EngineEvidence {
  return evidenceOf({ with: [agent("cilium", given)], configMaps: { "cilium-config": read(config) } });
}

const antrea = { with: [agent("antrea-agent")], antreaAgents: antreaAgents() };

describe("Of a cluster whose plugin is known it says which engines are enforced, and what becomes of open connections:", () => {
  const v = (name: string, repository: string, tag: string) =>
    agent(name, {}, { image: `quay.io/${repository}:${tag}` });
  const cases: readonly (readonly [string, EngineEvidence, readonly DenyEngine[], Detection["openConnections"]])[] = [
    ["Cilium", withCilium(), ["cilium", "networkpolicy"], "partly"],
    [
      "Cilium with ClusterNetworkPolicy on",
      withCilium({ "enable-k8s-cluster-network-policy": "true" }),
      ["cilium", "cluster-network-policy", "networkpolicy"],
      "partly",
    ],
    [
      "Calico 3.32",
      evidenceOf({ with: [v("calico-node", "calico/node", "v3.32.1")] }),
      ["calico", "cluster-network-policy", "networkpolicy"],
      "survive",
    ],
    [
      "Calico 3.30",
      evidenceOf({ with: [v("calico-node", "calico/node", "v3.30.0")] }),
      ["calico", "admin-network-policy", "networkpolicy"],
      "survive",
    ],
    [
      "Calico 3.28 as Canal",
      evidenceOf({ with: [v("canal", "calico/node", "v3.28.0")] }),
      ["calico", "networkpolicy"],
      "survive",
    ],
    [
      "Calico by a vendor's image, with the tiers of 3.32 and of an upgrade",
      evidenceOf({
        with: [v("calico-node", "tigera/cnx-node", "v3.21.0")],
        calicoTiers: read([
          { name: "adminnetworkpolicy", order: 1_000 },
          { name: "kube-admin", order: 1_000 },
        ]),
      }),
      ["calico", "cluster-network-policy", "networkpolicy"],
      "survive",
    ],
    ["Antrea", evidenceOf({ ...antrea, configMaps: antreaGates("") }), ["antrea", "networkpolicy"], "survive"],
    [
      "Antrea with both gates",
      evidenceOf({
        ...antrea,
        configMaps: antreaGates("  ClusterNetworkPolicy: true\n  AdminNetworkPolicy: true"),
      }),
      ["antrea", "cluster-network-policy", "admin-network-policy", "networkpolicy"],
      "survive",
    ],
    [
      "kube-network-policies for ClusterNetworkPolicy",
      evidenceOf({ with: [v("kube-network-policies", "kube-network-policies", "v1.1.1-npa-v1alpha2")] }),
      ["cluster-network-policy", "networkpolicy"],
      "cut",
    ],
    [
      "kube-network-policies that spares open connections, beside Flannel",
      evidenceOf({
        with: [
          agent("kube-flannel-ds", { namespace: "kube-flannel" }),
          agent(
            "kube-network-policies",
            {},
            { image: "r/kube-network-policies:v1.0.0", args: ["--strict-mode=false"] },
          ),
        ],
      }),
      ["networkpolicy"],
      "survive",
    ],
    [
      "an old kube-network-policies with its flag",
      evidenceOf({
        with: [
          agent(
            "kube-network-policies",
            {},
            { image: "r/kube-network-policies:v0.2.0", args: ["-admin-network-policy=true"] },
          ),
        ],
      }),
      ["admin-network-policy", "networkpolicy"],
      "unknown",
    ],
    [
      "kindnet of kind v0.26",
      evidenceOf({ with: [v("kindnet", "kindest/kindnetd", "v20241212-9f82dd49")] }),
      ["networkpolicy"],
      "unknown",
    ],
    [
      "the Amazon VPC CNI with both switches on",
      evidenceOf({
        with: [agent("aws-node", {}, { name: "aws-eks-nodeagent", args: ["--enable-network-policy=true"] })],
        configMaps: { "amazon-vpc-cni": read({ "enable-network-policy-controller": "true" }) },
      }),
      ["networkpolicy"],
      "unknown",
    ],
    ["kube-router", evidenceOf({ with: [agent("kube-router")] }), ["networkpolicy"], "unknown"],
  ];
  test.each(cases)("%s", (_, evidence, enforced, open) => {
    const detection = detect(evidence);
    expect(states(detection)).toEqual(Object.fromEntries(enforced.map((engine) => [engine, "enforced"])));
    expect(detection.openConnections).toBe(open);
    expect(detection.plugin).toBeDefined();
  });
});

test("OVN-Kubernetes enforces AdminNetworkPolicy where its feature is on, and what is not told is not known", () => {
  const ovn = (configMaps: EngineEvidence["configMaps"]): Detection =>
    detect(evidenceOf({ with: [agent("ovnkube-node", { namespace: "openshift-ovn-kubernetes" })], configMaps }));
  const conf = (line: string) => ({ "ovnkube-config": read({ "ovnkube.conf": `[ovnkubernetesfeature]\n${line}\n` }) });
  expect(state(ovn(conf("enable-admin-network-policy=true")), "admin-network-policy").state).toBe("enforced");
  expect(state(ovn(conf("enable-admin-network-policy = false")), "admin-network-policy").state).toBe("not-enforced");
  expect(state(ovn(conf("enable-egress-ip=true")), "admin-network-policy").state).toBe("unknown");
  expect(state(ovn({ "ovnkube-config": forbidden }), "admin-network-policy")).toMatchObject({
    state: "unknown",
    because: expect.stringContaining("could not be read: forbidden"),
  });
  expect(ovn({})).toMatchObject({ plugin: "OVN-Kubernetes", openConnections: "cut" });
});

describe("A switch that is off makes everything of its plugin not enforced, and is named:", () => {
  const off: readonly (readonly [string, EngineEvidence, RegExp])[] = [
    ["enable-policy", withCilium({ "enable-policy": "never" }), /enable-policy is never/],
    ["audit mode", withCilium({ "policy-audit-mode": "true" }), /policy-audit-mode is on/],
    [
      "labels that leave ours out",
      withCilium({ labels: "k8s:app k8s:io\\.kubernetes.*" }),
      /leaves bulkhead\.dev\/quarantine out/,
    ],
    ["labels that exclude ours", withCilium({ labels: "k8s:!bulkhead" }), /leaves bulkhead\.dev\/quarantine out/],
    [
      "a flag that overrides the ConfigMap",
      evidenceOf({
        with: [agent("cilium", {}, { name: "cilium-agent", args: ["--enable-policy", "never"] })],
        configMaps: { "cilium-config": read({ "enable-policy": "default" }) },
      }),
      /enable-policy is never/,
    ],
    ["an agent for no node", withCilium({}, { desired: 0, ready: 0 }), /is to run on no node/],
    [
      "the agent of the Amazon VPC CNI",
      evidenceOf({ with: [agent("aws-node", {}, { args: ["--enable-network-policy=false"] })] }),
      /without --enable-network-policy=true/,
    ],
    [
      "the controller of the Amazon VPC CNI",
      evidenceOf({
        with: [agent("aws-node", {}, { args: ["--enable-network-policy=true"] })],
        configMaps: { "amazon-vpc-cni": read({ "enable-network-policy-controller": "false" }) },
      }),
      /enable-network-policy-controller is false/,
    ],
    [
      "kube-router's firewall",
      evidenceOf({ with: [agent("kube-router", {}, { args: ["--run-firewall=false"] })] }),
      /run-firewall is false/,
    ],
    ["Weave Net without its controller", evidenceOf({ with: [agent("weave-net")] }), /without weave-npc/],
    [
      "kindnet before it filtered",
      evidenceOf({ with: [agent("kindnet", {}, { image: "docker.io/kindest/kindnetd:v20240202-8f1494ea" })] }),
      /This version of kindnet/,
    ],
    ["Flannel alone", evidenceOf({ with: [agent("kube-flannel-ds")] }), /^Flannel does not enforce this API/],
  ];
  test.each(off)("%s", (_, evidence, because) => {
    const detection = detect(evidence);
    expect(states(detection)).toEqual({});
    expect(state(detection, "networkpolicy").because).toMatch(because);
    expect(detection.plugin).toBeUndefined();
  });
});

test("What is set for single nodes of Cilium leaves open what it touches, and nothing else", () => {
  const set = (ciliumNodeConfigs: EngineEvidence["ciliumNodeConfigs"]) => ({ ...withCilium(), ciliumNodeConfigs });
  const touching = read([{ name: "audit-first", defaults: { "policy-audit-mode": "true" } }]);
  expect(state(detect(set(touching)), "cilium")).toMatchObject({
    state: "unknown",
    because: "CiliumNodeConfig audit-first sets for some nodes what decides whether Cilium enforces.",
  });
  expect(state(detect(set(read([{ name: "mtu", defaults: { mtu: "1400" } }]))), "cilium").state).toBe("enforced");
  expect(state(detect(set(forbidden)), "networkpolicy").state).toBe("unknown");
});

test("Cilium may leave one API alone and enforce the others", () => {
  expect(states(detect(withCilium({ "enable-k8s-networkpolicy": "false" })))).toEqual({ cilium: "enforced" });
  expect(states(detect(withCilium({ "enable-cilium-network-policy": "false" })))).toEqual({
    networkpolicy: "enforced",
  });
});

test.each([
  ["", "enforced"],
  ["k8s:app k8s:bulkhead\\.dev", "enforced"],
  ["k8s:^bulkhead.dev/.*", "enforced"],
  [".*", "enforced"],
  ["k8s:!io\\.kubernetes k8s:!controller-uid", "enforced"],
  ["!bulk bulkhead\\.dev/quarantine", "enforced"],
  ["k8s:bulkheads", "not-enforced"],
  ["other:bulkhead.dev", "not-enforced"],
  ["k8s:bulkhead\\.dev$", "not-enforced"],
  ["k8s:(a+)+$ k8s:app", "unknown"],
  ["k8s:[a-z]+", "unknown"],
] as const)("Cilium's label filter %j lets the quarantine label select: %s", (labels, expected) => {
  expect(state(detect(withCilium({ labels })), "cilium").state).toBe(expected);
});

describe("What cannot be read is unknown, with the reason:", () => {
  const unread: readonly (readonly [string, EngineEvidence, DenyEngine, RegExp])[] = [
    ["the DaemonSets", evidenceOf({ agents: forbidden }), "networkpolicy", /plugins run could not be read: forbidden/],
    [
      "the list of the APIs",
      evidenceOf({ with: [agent("cilium")], served: forbidden }),
      "cilium",
      /APIs the cluster serves could not be read: forbidden/,
    ],
    [
      "one API",
      evidenceOf({
        with: [agent("antrea-agent")],
        served: read([]),
        unreadGroups: [{ groupVersion: "crd.antrea.io/v1beta1", why: "503" }],
      }),
      "antrea",
      /crd\.antrea\.io\/v1beta1 could not be read: 503/,
    ],
    [
      "cilium-config",
      evidenceOf({ with: [agent("cilium")], configMaps: { "cilium-config": forbidden } }),
      "cilium",
      /cilium-config could not be read: forbidden/,
    ],
    [
      "a ConfigMap that is not there",
      evidenceOf({ with: [agent("cilium")], configMaps: { "cilium-config": read(undefined) } }),
      "networkpolicy",
      /not beside the agent/,
    ],
    ["a file of label patterns", withCilium({ "label-prefix-file": "/etc/labels" }), "cilium", /label-prefix-file/],
    [
      "Antrea's agents",
      evidenceOf({ ...antrea, antreaAgents: forbidden }),
      "networkpolicy",
      /healthy could not be read: forbidden/,
    ],
    [
      "Antrea's gates",
      evidenceOf({ ...antrea, configMaps: { "antrea-config": forbidden } }),
      "antrea",
      /gate AntreaPolicy could not be read/,
    ],
    [
      "gates that are no YAML",
      evidenceOf({ ...antrea, configMaps: { "antrea-config": read({ "antrea-agent.conf": "a: [" }) } }),
      "antrea",
      /is no YAML/,
    ],
    [
      "Calico's tiers, where its image has no version",
      evidenceOf({ with: [agent("calico-node", {}, { image: "r/calico/node@sha256:0a" })], calicoTiers: forbidden }),
      "cluster-network-policy",
      /tiers could not be read: forbidden/,
    ],
    [
      "kube-network-policies without a tag",
      evidenceOf({ with: [agent("kube-network-policies", {}, { image: "r/kube-network-policies@sha256:0a" })] }),
      "cluster-network-policy",
      /no tag/,
    ],
    [
      "EKS' switch",
      evidenceOf({
        with: [agent("aws-node", {}, { args: ["--enable-network-policy=true"] })],
        configMaps: { "amazon-vpc-cni": forbidden },
      }),
      "networkpolicy",
      /amazon-vpc-cni could not be read/,
    ],
    [
      "agents of EKS Auto Mode",
      evidenceOf({ configMaps: { "amazon-vpc-cni": read({ "enable-network-policy-controller": "true" }) } }),
      "networkpolicy",
      /Auto Mode/,
    ],
    ["Kube-OVN's controller", evidenceOf({ with: [agent("kube-ovn-cni")] }), "networkpolicy", /Kube-OVN/],
  ];
  test.each(unread)("%s", (_, evidence, engine, because) => {
    expect(state(detect(evidence), engine)).toMatchObject({
      state: "unknown",
      because: expect.stringMatching(because),
    });
  });
});

test("APIs without an agent are left over: not enforced; whether an unknown plugin enforces the others is not known", () => {
  expect(states(detect(evidenceOf()))).toEqual({
    "cluster-network-policy": "unknown",
    "admin-network-policy": "unknown",
    networkpolicy: "unknown",
  });
  expect(state(detect(evidenceOf()), "antrea").because).toMatch(/left from an earlier installation/);
});

test("An API that is not served is not enforced, whatever runs", () => {
  const evidence = { ...withCilium(), served: read([kinds.antrea]) };
  expect(state(detect(evidence), "cilium")).toMatchObject({ served: false, state: "not-enforced" });
  expect(state(detect(evidence), "networkpolicy")).toMatchObject({ served: true, state: "enforced" });
});

test("Calico's storage alone can be written only where configuration allows it", () => {
  const evidence = evidenceOf({ with: [agent("calico-node")], served: read([kinds.calicoStorage]) });
  expect(state(detect(evidence), "calico")).toMatchObject({
    served: false,
    state: "not-enforced",
    because: expect.stringContaining("calico.writeStorage"),
  });
  const allowed = detect(evidence, { writesCalicoStorage: true });
  expect(state(allowed, "calico")).toMatchObject({ served: true, state: "enforced" });
  expect(allowed.ways).toEqual({ served: [kinds.calicoStorage], calicoTiers: [], writesCalicoStorage: true });
});

describe("An agent that is not ready everywhere", () => {
  const partly = withCilium({}, { ready: 2, readyOn: read(["n1", "n2"]) });

  test("makes it unknown, with the numbers", () => {
    expect(state(detect(partly), "cilium")).toMatchObject({
      state: "unknown",
      because: "Cilium's agent is ready on 2 of 3 nodes.",
    });
  });

  test("counts on the nodes of the pods concerned alone", () => {
    expect(state(detect(partly, { nodes: ["n1"] }), "cilium").state).toBe("enforced");
    expect(state(detect(partly, { nodes: ["n1", "n3"] }), "cilium")).toMatchObject({
      state: "unknown",
      because: "Cilium's agent is not ready on n3.",
    });
    const whole = withCilium();
    expect(state(detect(whole, { nodes: ["fargate-1"] }), "networkpolicy").state).toBe("unknown");
    expect(state(detect(withCilium({}, { readyOn: forbidden }), { nodes: ["n1"] }), "cilium").state).toBe("unknown");
  });
});

test.each([
  [
    "is old",
    { conditions: [{ type: "AgentHealthy", status: "True", heartbeatAt: readAt - 200_000 }] },
    /not heard of for three minutes/,
  ],
  ["is missing", { conditions: [] }, /not heard of for three minutes/],
  [
    "cannot be read as a time",
    { conditions: [{ type: "AgentHealthy", status: "True", heartbeatAt: Number.NaN }] },
    /not heard of/,
  ],
  [
    "comes from an agent without its controller",
    {
      conditions: [
        { type: "AgentHealthy", status: "True", heartbeatAt: readAt },
        { type: "ControllerConnectionUp", status: "False", heartbeatAt: readAt },
      ],
    },
    /ControllerConnectionUp is not True/,
  ],
])("Antrea is unknown where an agent's heartbeat %s", (_, ill, because) => {
  const healthy = antreaAgents(["n1"]);
  const antreaInfos = read([...(healthy.read ? healthy.value : []), { node: "n2", ...ill }]);
  const evidence = evidenceOf({ ...antrea, antreaAgents: antreaInfos, configMaps: antreaGates("") });
  expect(state(detect(evidence), "antrea")).toMatchObject({
    state: "unknown",
    because: expect.stringMatching(because),
  });
  expect(state(detect(evidence, { nodes: ["n1"] }), "antrea").state).toBe("enforced");
  expect(state(detect(evidence, { nodes: ["n3"] }), "antrea").because).toMatch(/No AntreaAgentInfo tells of n3/);
});

test("Antrea's own policies are off by their gate, in either file or by the gate of all beta features", () => {
  for (const configMaps of [
    antreaGates("  AntreaPolicy: false"),
    antreaGates("", "  AntreaPolicy: false"),
    antreaGates("  AllBeta: false"),
  ]) {
    expect(states(detect(evidenceOf({ ...antrea, configMaps })))).toEqual({ networkpolicy: "enforced" });
  }
  const alpha = evidenceOf({ ...antrea, configMaps: antreaGates("  AllAlpha: true") });
  expect(state(detect(alpha), "cluster-network-policy").state).toBe("enforced");
});

test("Two plugins that both give pods their network leave open which of them holds, but for what both enforce", () => {
  const both = { with: [agent("cilium"), agent("calico-node", { namespace: "calico-system" })] };
  const config = (values: Record<string, string>) => ({ configMaps: { "cilium-config": read(values) } });
  const detection = detect(evidenceOf({ ...both, ...config({}) }));
  expect(state(detection, "cilium")).toMatchObject({
    state: "unknown",
    because: expect.stringMatching(/^Cilium and Calico both run/),
  });
  expect(state(detection, "calico").state).toBe("unknown");
  expect(state(detection, "networkpolicy").state).toBe("enforced");
  expect(detection).toMatchObject({
    plugin: undefined,
    openConnections: "unknown",
    simulated: { engine: undefined, ipBlockMatchesPods: "unknown" },
  });
  const off = detect(evidenceOf({ ...both, ...config({ "enable-policy": "never" }) }));
  expect(state(off, "networkpolicy").state).toBe("unknown");
});

test("A DaemonSet of a network plugin's name in a team's namespace proves nothing", () => {
  const evidence = evidenceOf({ with: [agent("calico-node", { namespace: "team-a" })] });
  expect(state(detect(evidence), "networkpolicy")).toMatchObject({
    state: "unknown",
    because: "DaemonSet team-a/calico-node looks like Calico, in a namespace that is no system's.",
  });
});

test("GKE Dataplane V2 enforces NetworkPolicy, and whether CiliumNetworkPolicy is not known", () => {
  const gke = agent("anetd", {}, { name: "cilium-agent" });
  const detection = detect(evidenceOf({ with: [gke], configMaps: { "cilium-config": read({}) } }));
  expect(states(detection)).toEqual({ cilium: "unknown", networkpolicy: "enforced" });
});

test("An agent of the Amazon VPC CNI that is being rolled out leaves open where it enforces", () => {
  const rolling = agent("aws-node", { rollingOut: true }, { args: ["--enable-network-policy=true"] });
  const configMaps = { "amazon-vpc-cni": read({ "enable-network-policy-controller": "true" }) };
  expect(state(detect(evidenceOf({ with: [rolling], configMaps })), "networkpolicy").because).toMatch(/rolled out/);
});

test("Configuration speaks of NetworkPolicy alone, and before what is detected", () => {
  const off = withCilium({ "enable-policy": "never" });
  expect(states(detect(off, { configured: "enforced" }))).toEqual({ networkpolicy: "enforced" });
  expect(state(detect(off, { configured: "enforced" }), "networkpolicy").because).toBe("The configuration says so.");
  expect(states(detect(withCilium(), { configured: "not-enforced" }))).toEqual({ cilium: "enforced" });
});

describe("A canary", () => {
  const canary = (enforced: boolean, ageMs = 0) => ({ enforced, at: readAt - ageMs, pools: ["pool-a"] });

  test("that was cut off shows that NetworkPolicy is enforced where nothing else tells", () => {
    const networkpolicy = state(detect(evidenceOf(), { canary: canary(true) }), "networkpolicy");
    expect(networkpolicy.state).toBe("enforced");
    expect(networkpolicy.because).toMatch(/2026-03-01 12:00 UTC that NetworkPolicy is enforced in pool-a\.$/);
    expect(states(detect(evidenceOf({ with: [agent("kube-flannel")] }), { canary: canary(true) }))).toEqual({
      networkpolicy: "enforced",
    });
  });

  test("that was not cut off makes every engine not enforced, whatever else is said", () => {
    expect(states(detect(withCilium(), { canary: canary(false), configured: "enforced" }))).toEqual({});
  });

  test("does not overrule the word of configuration that nothing is enforced", () => {
    expect(
      states(detect(evidenceOf({ served: read([]) }), { canary: canary(true), configured: "not-enforced" })),
    ).toEqual({});
  });

  test("does not speak for a node where the agent is not ready now, nor against a switch that is off now", () => {
    const down = agent("cilium", { ready: 2, readyOn: read(["n1", "n2"]) });
    const config = { "cilium-config": read({}) };
    const on = (node: string) =>
      detect(evidenceOf({ with: [down], configMaps: config }), { canary: canary(true), nodes: [node] });
    expect(state(on("n1"), "networkpolicy").state).toBe("enforced");
    expect(state(on("n3"), "networkpolicy")).toMatchObject({
      state: "unknown",
      because: expect.stringMatching(/Now no agent of Cilium is ready on n3\.$/),
    });
    const never = evidenceOf({
      with: [agent("cilium")],
      configMaps: { "cilium-config": read({ "enable-policy": "never" }) },
    });
    expect(state(detect(never, { canary: canary(true) }), "networkpolicy").state).toBe("unknown");
  });

  test("is forgotten after a day", () => {
    const old = 24 * 3_600_000;
    expect(states(detect(withCilium(), { canary: canary(false, old) }))).toEqual(states(detect(withCilium())));
    expect(state(detect(evidenceOf(), { canary: canary(true, old) }), "networkpolicy").state).toBe("unknown");
  });
});

test.each([
  ["Cilium by default", withCilium(), "cilium", false],
  ["Cilium told to match pods", withCilium({ "policy-cidr-match-mode": "nodes,pods" }), "cilium", true],
  ["Cilium told to match nodes", withCilium({ "policy-cidr-match-mode": "nodes" }), "cilium", false],
  [
    "Cilium unread",
    evidenceOf({ with: [agent("cilium")], configMaps: { "cilium-config": forbidden } }),
    "cilium",
    "unknown",
  ],
  ["Calico", evidenceOf({ with: [agent("calico-node")] }), "calico", true],
  ["kube-router", evidenceOf({ with: [agent("kube-router")] }), "networkpolicy", "unknown"],
  ["nothing known", evidenceOf(), undefined, "unknown"],
] as const)("It says how to simulate %s", (_, evidence, engine, ipBlockMatchesPods) => {
  expect(detect(evidence).simulated).toEqual({ engine, ipBlockMatchesPods });
});
