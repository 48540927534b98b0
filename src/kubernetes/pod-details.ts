import type { NamedPort } from "../policy/objects.ts";
import type { RawObject } from "./parse.ts";

/** How the kubelet asks a container. `port` is a container port's number or name; undefined for `exec`. */
export type Probe = {
  readonly container: string;
  readonly kind: "liveness" | "readiness" | "startup";
  readonly by: "http" | "tcp" | "grpc" | "exec";
  readonly port: number | string | undefined;
};

/** The name of a Secret that lies in the pod, and where. Its content is never read. */
export type SecretUse = { readonly name: string; readonly where: "volume" | "environment" };

export type ContainerPort = Omit<NamedPort, "name"> & { readonly name: string | undefined };

export type MeshName = "istio-ambient" | "istio-sidecar" | "linkerd";

/** What only a plan about this one pod needs to know of it; too much to keep of every pod. */
export type PodDetails = {
  readonly name: string;
  readonly probes: readonly Probe[];
  /** `inherited`: the pod says nothing, and may be in an ambient mesh by its namespace. */
  readonly mesh: MeshName | "inherited" | undefined;
  readonly secrets: readonly SecretUse[];
  /** SecretProviderClasses of the CSI driver secrets-store.csi.k8s.io. */
  readonly secretStores: readonly string[];
  readonly pullSecrets: readonly string[];
  readonly serviceAccount: string;
  /** The audiences of the ServiceAccount's tokens that are mounted; the empty one is the API server's. */
  readonly tokens: readonly string[];
  /** With and without a name. */
  readonly ports: readonly ContainerPort[];
  readonly addresses: readonly string[];
};

type RawProbe = {
  readonly httpGet?: { readonly port?: number | string };
  readonly tcpSocket?: { readonly port?: number | string };
  readonly grpc?: { readonly port?: number };
  readonly exec?: object;
};

type RawContainer = {
  readonly name?: string;
  readonly livenessProbe?: RawProbe;
  readonly readinessProbe?: RawProbe;
  readonly startupProbe?: RawProbe;
  readonly volumeMounts?: readonly { readonly name?: string; readonly mountPath?: string }[];
  readonly env?: readonly { readonly valueFrom?: { readonly secretKeyRef?: { readonly name?: string } } }[];
  readonly envFrom?: readonly { readonly secretRef?: { readonly name?: string } }[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly protocol?: NamedPort["protocol"];
    readonly containerPort?: number;
  }[];
};

type RawVolume = {
  readonly name?: string;
  readonly secret?: { readonly secretName?: string };
  readonly projected?: {
    readonly sources?: readonly {
      readonly secret?: { readonly name?: string };
      readonly serviceAccountToken?: { readonly audience?: string };
    }[];
  };
  readonly csi?: { readonly driver?: string; readonly volumeAttributes?: { readonly secretProviderClass?: string } };
};

type RawPod = RawObject<
  {
    readonly serviceAccountName?: string;
    readonly containers?: readonly RawContainer[];
    readonly initContainers?: readonly RawContainer[];
    readonly ephemeralContainers?: readonly RawContainer[];
    readonly volumes?: readonly RawVolume[];
    readonly imagePullSecrets?: readonly { readonly name?: string }[];
  },
  { readonly podIP?: string; readonly podIPs?: readonly { readonly ip?: string }[] }
>;

export function parsePodDetails(raw: unknown): PodDetails {
  const { metadata = {}, spec = {}, status = {} } = raw as RawPod;
  const all = [spec.containers, spec.initContainers, spec.ephemeralContainers].flatMap((some) => some ?? []);
  const volumes = spec.volumes ?? [];
  return {
    name: metadata.name ?? "",
    probes: all.flatMap(probesOf),
    mesh: meshOf(raw as RawPod, all),
    secrets: secretsOf(all, volumes),
    secretStores: distinct(volumes.flatMap(({ csi }) => storeOf(csi))),
    pullSecrets: distinct((spec.imagePullSecrets ?? []).flatMap(({ name = [] }) => name)),
    serviceAccount: spec.serviceAccountName ?? "default",
    tokens: tokensOf(all, volumes),
    ports: all.flatMap(portsOf),
    addresses: distinct([status.podIP, ...(status.podIPs ?? []).map(({ ip }) => ip)].flatMap((ip) => ip ?? [])),
  };
}

/** Projected; before Kubernetes 1.21 a Secret, mounted where clients look for it. */
function tokensOf(containers: readonly RawContainer[], volumes: readonly RawVolume[]): readonly string[] {
  const projected = volumes.flatMap((volume) => volume.projected?.sources ?? []);
  const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
  const legacy = volumes.filter(
    ({ name, secret }) =>
      secret !== undefined &&
      mounts.some(
        (mount) => mount.name === name && mount.mountPath === "/var/run/secrets/kubernetes.io/serviceaccount",
      ),
  );
  return distinct([
    ...projected.flatMap(({ serviceAccountToken: token }) => (token === undefined ? [] : [token.audience ?? ""])),
    ...legacy.map(() => ""),
  ]);
}

function probesOf(container: RawContainer): readonly Probe[] {
  const { name = "", livenessProbe: liveness, readinessProbe: readiness, startupProbe: startup } = container;
  return Object.entries({ liveness, readiness, startup }).flatMap(([kind, probe]) =>
    probe === undefined ? [] : [{ container: name, kind: kind as Probe["kind"], ...askedBy(probe) }],
  );
}

function askedBy({ httpGet, tcpSocket, grpc }: RawProbe): Pick<Probe, "by" | "port"> {
  if (httpGet !== undefined) return { by: "http", port: httpGet.port };
  if (tcpSocket !== undefined) return { by: "tcp", port: tcpSocket.port };
  return grpc === undefined ? { by: "exec", port: undefined } : { by: "grpc", port: grpc.port };
}

/**
 * The annotation is written by Istio once the pod's traffic is redirected; the label is what somebody asked for (Istio's
 * documentation, Add workloads to the mesh; istio/api, ambient.istio.io/redirection).
 */
function meshOf({ metadata = {} }: RawPod, containers: readonly RawContainer[]): PodDetails["mesh"] {
  const has = (wanted: string): boolean => containers.some(({ name }) => name === wanted);
  const { annotations = {}, labels = {} } = metadata;
  if (has("istio-proxy") || annotations["sidecar.istio.io/status"] !== undefined) return "istio-sidecar";
  if (has("linkerd-proxy")) return "linkerd";
  if (annotations["ambient.istio.io/redirection"] === "enabled") return "istio-ambient";
  const asked = labels["istio.io/dataplane-mode"];
  if (asked === undefined) return "inherited";
  return asked === "ambient" ? "istio-ambient" : undefined;
}

function secretsOf(containers: readonly RawContainer[], volumes: readonly RawVolume[]): readonly SecretUse[] {
  const inVolumes = volumes.flatMap(({ secret, projected }) => [
    ...(secret?.secretName === undefined ? [] : [secret.secretName]),
    ...(projected?.sources ?? []).flatMap((source) => source.secret?.name ?? []),
  ]);
  const inEnvironment = containers.flatMap(({ env = [], envFrom = [] }) => [
    ...env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? []),
    ...envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []),
  ]);
  return [
    ...distinct(inVolumes).map((name) => ({ name, where: "volume" as const })),
    ...distinct(inEnvironment).map((name) => ({ name, where: "environment" as const })),
  ];
}

function storeOf(csi: RawVolume["csi"]): readonly string[] {
  const { driver, volumeAttributes: { secretProviderClass: name } = {} } = csi ?? {};
  return driver === "secrets-store.csi.k8s.io" && name !== undefined ? [name] : [];
}

function portsOf({ ports = [] }: RawContainer): readonly ContainerPort[] {
  return ports.flatMap(({ name, protocol = "TCP", containerPort: port }) =>
    port === undefined ? [] : [{ name, protocol, port }],
  );
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted();
}
