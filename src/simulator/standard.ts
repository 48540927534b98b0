import { translateAdminNetworkPolicy, translateBaselineAdminNetworkPolicy } from "./admin-network-policy.ts";
import { translateClusterNetworkPolicy } from "./cluster-network-policy.ts";
import type { Arrangement, Translation, WireObject } from "./model.ts";
import { translateNetworkPolicy } from "./networkpolicy.ts";

/** Whether it is a policy of the APIs that no engine owns. None of them refers to another object. */
export function isStandard({ apiVersion, kind }: WireObject): boolean {
  return (apiVersion.startsWith(kubernetes) && kind === "NetworkPolicy") || apiVersion.startsWith(upperTiers);
}

/** Of an object that is standard. One of a version that is not known is never passed over: it may say anything. */
export function translateStandard(object: WireObject, arrangement: Arrangement): Translation {
  switch (`${object.apiVersion} ${object.kind}`) {
    case "networking.k8s.io/v1 NetworkPolicy":
      return translateNetworkPolicy(object, arrangement.networkPolicy);
    case "policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy":
      return translateAdminNetworkPolicy(object, arrangement);
    case "policy.networking.k8s.io/v1alpha1 BaselineAdminNetworkPolicy":
      return translateBaselineAdminNetworkPolicy(object, arrangement);
    case "policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy":
      return translateClusterNetworkPolicy(object, arrangement);
    default:
      return { problems: [{ field: "apiVersion", message: `is not read here for the kind ${object.kind}` }] };
  }
}

const kubernetes = "networking.k8s.io/";
const upperTiers = "policy.networking.k8s.io/";
