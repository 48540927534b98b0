import type { EngineEvidence, Reading } from "../policy/evidence.ts";
import type { PluginName } from "../policy/network-plugins.ts";
import { detectAntrea } from "./detect-antrea.ts";
import { detectCalico } from "./detect-calico.ts";
import { detectCilium } from "./detect-cilium.ts";
import {
  all,
  enforced,
  flag,
  flagValue,
  type Judgement,
  notEnforced,
  type Plugin,
  running,
  type Seen,
  tagOf,
  unknown,
  versionOf,
} from "./judgement.ts";

type Detector = (evidence: EngineEvidence, seen: Seen) => Plugin;

/** What each network plugin enforces, by its switches (facts: network-policy §2, §5). */
export const detectors: Record<PluginName, Detector> = {
  Cilium: detectCilium,
  Calico: detectCalico,
  Antrea: detectAntrea,
  "OVN-Kubernetes": ovnKubernetes,
  "Kube-OVN": kubeOvn,
  "kube-network-policies": kubeNetworkPolicies,
  kindnet,
  "Amazon VPC CNI": amazonVpcCni,
  "Azure NPM": (_, seen) => ofNetworkPolicy("Azure NPM", running("Azure NPM", seen)),
  "kube-router": kubeRouter,
  "Weave Net": weaveNet,
  Flannel: (_, seen) => ({ ...ofNetworkPolicy("Flannel", running("Flannel", seen)), wires: true, judgements: {} }),
};

/** Of a plugin that knows NetworkPolicy alone. What it does with ipBlock and open connections is not known. */
function ofNetworkPolicy(name: PluginName, networkpolicy: Judgement): Plugin {
  return {
    name,
    wires: false,
    judgements: { networkpolicy },
    openConnections: "unknown",
    simulated: { engine: "networkpolicy", ipBlockMatchesPods: "unknown" },
  };
}

/** Checks every packet, so what is open is cut (§2.7). Its AdminNetworkPolicy is a feature that can be off (its docs). */
function ovnKubernetes({ configMaps }: EngineEvidence, seen: Seen): Plugin {
  const base = running("OVN-Kubernetes", seen);
  const feature = "enable-admin-network-policy";
  const config = configMaps["ovnkube-config"];
  const text = config?.read === true ? Object.values(config.value ?? {}).join("\n") : "";
  const written = new RegExp(`^\\s*${feature}\\s*=\\s*(\\w+)`, "m").exec(text)?.[1];
  const isOn = flagValue(flag(seen, feature) ?? written);
  const open = `Whether OVN-Kubernetes' ${feature} is on ${config?.read === false ? `could not be read: ${config.why}` : "is not told by what was read."}`;
  const admin =
    isOn === undefined
      ? unknown(open)
      : isOn
        ? enforced("")
        : notEnforced(`OVN-Kubernetes leaves AdminNetworkPolicy alone: ${feature} is off.`);
  return {
    ...ofNetworkPolicy("OVN-Kubernetes", base),
    wires: true,
    judgements: {
      networkpolicy: base,
      "admin-network-policy": all(admin, base),
      "cluster-network-policy": unknown(
        "Whether this version of OVN-Kubernetes enforces ClusterNetworkPolicy is not known.",
      ),
    },
    openConnections: "cut",
  };
}

/** Its switches are arguments of a Deployment, kube-ovn-controller, which is not read. */
function kubeOvn(): Plugin {
  const open = unknown("Whether Kube-OVN enforces it is switched on its controller, which is not read.");
  return {
    ...ofNetworkPolicy("Kube-OVN", open),
    wires: true,
    judgements: { networkpolicy: open, "admin-network-policy": open, "cluster-network-policy": open },
  };
}

/**
 * One image for each set of APIs from v0.9 on (`…-npa-v1alpha2`); before, a flag. Changes cut what is open from v1.0 on,
 * unless --strict-mode is off. Matches addresses of pods by ipBlock (§1).
 */
function kubeNetworkPolicies(_: EngineEvidence, seen: Seen): Plugin {
  const name = "kube-network-policies";
  const tag = tagOf(seen, name);
  const base = running(name, seen);
  const built = (suffix: string, kind: string, byFlag: boolean): Judgement => {
    if (tag?.endsWith(suffix) === true || byFlag) return base;
    return tag === undefined
      ? unknown(`Whether this build of ${name} enforces ${kind} is not known: its image bears no tag.`)
      : notEnforced(`This build of ${name} (${tag}) does not enforce ${kind}.`);
  };
  const [major = 0] = versionOf(tag) ?? [];
  const isStrict = flagValue(flag(seen, "strict-mode")) ?? (major >= 1 ? true : undefined);
  return {
    ...ofNetworkPolicy(name, base),
    judgements: {
      networkpolicy: base,
      "cluster-network-policy": built("-npa-v1alpha2", "ClusterNetworkPolicy", false),
      "admin-network-policy": built(
        "-npa-v1alpha1",
        "AdminNetworkPolicy",
        flagValue(flag(seen, "admin-network-policy")) === true,
      ),
    },
    openConnections: isStrict === undefined ? "unknown" : isStrict ? "cut" : "survive",
    simulated: { engine: "networkpolicy", ipBlockMatchesPods: true },
  };
}

/** Filters since kind v0.24.0 (its release notes), whose image is v20240813-…; the tag begins with the day. */
function kindnet(_: EngineEvidence, seen: Seen): Plugin {
  const tag = tagOf(seen, "kindnetd");
  const day = Number(/^v?(\d{8})-/.exec(tag ?? "")?.[1]);
  const filters = Number.isNaN(day)
    ? unknown("Whether this version of kindnet enforces NetworkPolicy is not known.")
    : day >= 20_240_813
      ? enforced("")
      : notEnforced(`This version of kindnet (${tag}) does not enforce NetworkPolicy.`);
  return ofNetworkPolicy("kindnet", all(filters, running("kindnet", seen)));
}

/**
 * Off unless turned on, in two places: the controller by a ConfigMap, the agent by an argument (EKS docs; §2.6). In Auto
 * Mode the agent is no DaemonSet, and only the ConfigMap tells.
 */
function amazonVpcCni({ configMaps }: EngineEvidence, seen: Seen): Plugin {
  const name = "Amazon VPC CNI";
  const agent = flagValue(flag(seen, "enable-network-policy"));
  const switched = controllerSwitch(configMaps["amazon-vpc-cni"]);
  const rolling = seen.agents.some(({ rollingOut }) => rollingOut);
  const networkpolicy =
    agent !== true
      ? notEnforced(`${name} enforces no policy: its agent runs without --enable-network-policy=true.`)
      : all(
          switched,
          rolling
            ? unknown(`${name}'s agent is being rolled out: which nodes enforce already is not known.`)
            : enforced(""),
          running(name, seen),
        );
  return ofNetworkPolicy(name, networkpolicy);
}

/** `enable-network-policy-controller` of the ConfigMap amazon-vpc-cni. */
export function controllerSwitch(config: EngineEvidence["configMaps"][string] | undefined): Judgement {
  const reading: Reading<unknown> = config ?? { read: false, why: "it was not looked for" };
  if (!reading.read) return unknown(`ConfigMap amazon-vpc-cni could not be read: ${reading.why}`);
  const value = flagValue(config?.read === true ? config.value?.["enable-network-policy-controller"] : undefined);
  if (value === true) return enforced("");
  return value === false
    ? notEnforced("Amazon VPC CNI enforces no policy: enable-network-policy-controller is false.")
    : unknown("Whether EKS' network policy controller is on is not known: ConfigMap amazon-vpc-cni does not tell.");
}

/** --run-firewall is on by default (its docs). */
function kubeRouter(_: EngineEvidence, seen: Seen): Plugin {
  const isOff = flagValue(flag(seen, "run-firewall")) === false;
  const firewall = isOff ? notEnforced("kube-router enforces no policy: --run-firewall is false.") : enforced("");
  return ofNetworkPolicy("kube-router", all(firewall, running("kube-router", seen)));
}

/** The container weave-npc is what enforces. */
function weaveNet(_: EngineEvidence, seen: Seen): Plugin {
  const has = seen.agents.some(({ containers }) => containers.some(({ name }) => name === "weave-npc"));
  const controller = has ? enforced("") : notEnforced("Weave Net enforces no policy: it runs without weave-npc.");
  return { ...ofNetworkPolicy("Weave Net", all(controller, running("Weave Net", seen))), wires: true };
}
