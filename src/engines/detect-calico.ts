import type { EngineEvidence } from "../policy/evidence.ts";
import {
  all,
  enforced,
  type Judgement,
  notEnforced,
  type Plugin,
  running,
  type Seen,
  tagOf,
  unknown,
  versionOf,
} from "./judgement.ts";

/** Calico (facts: network-policy §2.1, §2.2, §2.4): its DaemonSet is the switch; Canal is Calico's policy over Flannel. */
export function detectCalico({ calicoTiers }: EngineEvidence, seen: Seen): Plugin {
  const base = running("Calico", seen);
  const upstream = upstreamPolicies(calicoTiers, tagOf(seen, "calico/node"));
  return {
    name: "Calico",
    wires: true,
    judgements: {
      calico: base,
      networkpolicy: base,
      "cluster-network-policy": all(base, upstream.clusterNetworkPolicy),
      "admin-network-policy": all(base, upstream.adminNetworkPolicy),
    },
    openConnections: "survive",
    simulated: { engine: "calico", ipBlockMatchesPods: true },
  };
}

type Upstream = { readonly clusterNetworkPolicy: Judgement; readonly adminNetworkPolicy: Judgement };

/**
 * AdminNetworkPolicy in 3.29 to 3.31 alone, ClusterNetworkPolicy from 3.32. The version is that of the image; where it
 * bears none, or one of a vendor's, the tiers that Calico makes for them tell: an old one is left by an upgrade.
 */
function upstreamPolicies(tiers: EngineEvidence["calicoTiers"], tag: string | undefined): Upstream {
  const version = versionOf(tag);
  if (version !== undefined && version[0] === 3) {
    const [, minor] = version;
    return given(minor >= 32, minor >= 29 && minor < 32, `Calico ${tag}`);
  }
  if (!tiers.read) {
    const open = unknown(`Which of these APIs Calico enforces is not known: its tiers could not be read: ${tiers.why}`);
    return { clusterNetworkPolicy: open, adminNetworkPolicy: open };
  }
  const has = (name: string): boolean => tiers.value.some((tier) => tier.name === name);
  return given(has("kube-admin"), has("adminnetworkpolicy") && !has("kube-admin"), "Calico, by its tiers,");
}

function given(cluster: boolean, admin: boolean, who: string): Upstream {
  const words = (is: boolean, kind: string): Judgement =>
    is ? enforced(`${who} enforces ${kind}.`) : notEnforced(`${who} does not enforce ${kind}.`);
  return {
    clusterNetworkPolicy: words(cluster, "ClusterNetworkPolicy"),
    adminNetworkPolicy: words(admin, "AdminNetworkPolicy"),
  };
}
