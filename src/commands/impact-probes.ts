import type { MeshName, PodDetails, Probe } from "../kubernetes/pod-details.ts";
import type { Endpoint } from "../policy/endpoint.ts";
import type { Labels } from "../policy/objects.ts";
import { counted, someOf } from "./impact-words.ts";

/** The mesh that the pod's traffic goes through; the namespace decides where the pod says nothing. */
export function meshOf({ mesh }: PodDetails, namespaceLabels: Labels): MeshName | undefined {
  if (mesh !== "inherited") return mesh;
  return namespaceLabels["istio.io/dataplane-mode"] === "ambient" ? "istio-ambient" : undefined;
}

/** What the mesh makes of ports and probes, as warnings. */
export function meshWarnings(meshes: ReadonlySet<MeshName>): readonly string[] {
  return [...meshes].toSorted().map((mesh) => meshWords[mesh]);
}

/**
 * By Istio's documentation (Ambient and Kubernetes NetworkPolicy; Health Checking of Istio Services) and Linkerd's (Network
 * Policy): policies see the mesh's ports, not the application's.
 */
const meshWords: Record<MeshName, string> = {
  "istio-ambient":
    "It is in Istio's ambient mesh: policies see the mesh's connections on TCP 15008, whatever port they are for, so what is said here by port is not known. Kubelet probes come from 169.254.7.127, not from the node.",
  "istio-sidecar":
    "It has an Istio sidecar: connections and probes go through the proxy and may come on its ports (15008, 15020), so what is said here by port is not known.",
  linkerd:
    "It has a Linkerd proxy: connections of the mesh come on TCP 4143, whatever port they are for, so what is said here by port is not known.",
};

/** Istio's defaults of HOST_PROBE_SNAT_IP and HOST_PROBE_SNAT_IPV6 (istio, cni/pkg/constants). */
const probeSources = ["169.254.7.127/32", "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128"] as const;

/**
 * What a denial has to leave open for pods of Istio's ambient mesh: there the kubelet's probes do not come from the node,
 * which no policy cuts, but from a link-local address; without it the kubelet restarts the container. Empty for others.
 */
export function probeEndpoints(pods: readonly PodDetails[], namespaceLabels: Labels): readonly Endpoint[] {
  const ambient = pods.filter((pod) => meshOf(pod, namespaceLabels) === "istio-ambient");
  const ports = [...new Set(ambient.flatMap(probePorts))].toSorted((a, b) => a - b);
  if (ports.length === 0) return [];
  const hasIpv6 = ambient.some(({ addresses }) => addresses.some((address) => address.includes(":")));
  return probeSources.slice(0, hasIpv6 ? 2 : 1).map((cidr) => ({
    name: "kubelet-probes",
    purpose: "monitoring",
    direction: "ingress",
    peer: { ipBlock: { cidr } },
    ports: ports.map((port) => ({ protocol: "TCP", port })),
  }));
}

/** Numbers, since engines differ in what they make of names. */
function probePorts({ probes, ports }: PodDetails): readonly number[] {
  return probes.flatMap(({ by, port }) => {
    if (by === "exec" || port === undefined) return [];
    return typeof port === "number" ? port : ports.filter(({ name }) => name === port).map((named) => named.port);
  });
}

/** So many probes are named. */
const mostProbes = 3;

/**
 * A liveness probe is not cut, but what it asks may need what is cut: then the kubelet kills the container, and memory
 * and processes go with it.
 */
export function probeWarnings(pods: readonly PodDetails[]): readonly string[] {
  const liveness = distinct(pods.flatMap(({ probes }) => probes.filter(({ kind }) => kind === "liveness")));
  if (liveness.length === 0) return [];
  const which = someOf(liveness, mostProbes, "probes");
  return [
    `EVIDENCE: ${counted(liveness.length, "liveness probe")} (${which}). The probe itself is not cut, but where its answer depends on something that is cut, it fails, and the kubelet kills and restarts the container: memory and processes are lost. Save them first (kubectl debug into the container, or a checkpoint by the kubelet), since probes of a running pod cannot be changed.`,
  ];
}

/** `HTTP 8080 of container main`. */
function distinct(probes: readonly Probe[]): readonly string[] {
  const words = { http: "HTTP", tcp: "TCP", grpc: "gRPC", exec: "a command" };
  return [
    ...new Set(
      probes.map(({ container, by, port }) =>
        by === "exec"
          ? `${words.exec} of container ${container}`
          : `${words[by]} ${port ?? ""} of container ${container}`,
      ),
    ),
  ];
}
