import type { DenyEngine, Ways } from "../policy/engine.ts";
import { denyByAdminNetworkPolicy } from "./admin-network-policy.ts";
import { denyByAntrea } from "./antrea.ts";
import { denyByCalico } from "./calico.ts";
import { denyByCilium } from "./cilium.ts";
import { denyByClusterNetworkPolicy } from "./cluster-network-policy.ts";
import type { Denial, Denies } from "./denial.ts";

/**
 * What the engine writes beside the NetworkPolicy, which is written whatever the engine (denyByNetworkPolicy): that one
 * allows the endpoints where an engine only denies, and holds where an engine cannot.
 */
export function deniesOf(engine: DenyEngine, denial: Denial, ways: Ways): Denies {
  switch (engine) {
    case "cilium":
      return denyByCilium(denial);
    case "calico":
      return denyByCalico(denial, ways);
    case "antrea":
      return denyByAntrea(denial, ways);
    case "admin-network-policy":
      return denyByAdminNetworkPolicy(denial);
    case "cluster-network-policy":
      return denyByClusterNetworkPolicy(denial);
    case "networkpolicy":
      return { objects: [], notes: [] };
  }
}
