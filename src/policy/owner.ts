import { manifestName } from "./manifest.ts";
import { marks } from "./marks.ts";
import type { Image, ManagedFields } from "./revision.ts";

/** Who writes a policy again, by what it bears (facts: kubernetes-client §4). Names fit Kubernetes' rules for names. */
export type Owner = {
  /** `sure`: its marks name this very object, or its program wrote it. `maybe`: others set such marks too, or they were copied. */
  readonly certainty: "sure" | "maybe";
  /** How it is known, as a clause. */
  readonly because: string;
} & (
  | { readonly kind: "argo-cd"; readonly application: string; readonly namespace: string | undefined }
  | { readonly kind: "flux-kustomization" | "flux-helm-release"; readonly name: string; readonly namespace: string }
  | { readonly kind: "helm"; readonly release: string; readonly namespace: string }
  | { readonly kind: "kubectl-apply" }
  | { readonly kind: "bulkhead"; readonly operation: string }
);

export type Ownership = {
  /** Sure before perhaps, and who writes by itself before who waits for people. */
  readonly owners: readonly Owner[];
  /** Marks that name something else, or nothing, as sentences: copies. What is in them comes from outside. */
  readonly copies: readonly string[];
};

/** `managedFields`: undefined where they are not known; then marks count for themselves. */
export function ownershipOf(image: Image, managedFields?: readonly ManagedFields[]): Ownership {
  const managers = managedFields?.flatMap(({ manager }) => manager ?? []);
  const found = [bulkhead(image), argoTracking(image), argoLabel(image, managers), ...flux(image, managers)];
  const all = [...found, helm(image, managers), applied(image)];
  const owners = all.flatMap((one) => (one === undefined || typeof one === "string" ? [] : [one]));
  const isSure = (kind: Owner["kind"]) => owners.some((one) => one.kind === kind && one.certainty === "sure");
  // What makes it again explains the label and the annotation that it sets itself.
  const explained = (owner: Owner): boolean =>
    (owner.kind === "kubectl-apply" && owners.length > 1) ||
    (owner.kind === "helm" && isSure("flux-helm-release")) ||
    (owner.kind === "argo-cd" && owner.certainty === "maybe" && (isSure("argo-cd") || isSure("helm")));
  return {
    owners: owners.filter((owner) => !explained(owner)).toSorted((a, b) => rank(a) - rank(b)),
    copies: all.filter((one) => typeof one === "string"),
  };
}

function rank({ certainty }: Owner): number {
  return certainty === "sure" ? 0 : 1;
}

/** An owner, a sentence on a copied mark, or nothing. */
type Found = Owner | string | undefined;

const trackingId = "argocd.argoproj.io/tracking-id";

/** `app:group/Kind:namespace/name`; one that is not of this object is a copy, which Argo CD leaves alone. */
function argoTracking(image: Image): Found {
  const id = image.metadata.annotations?.[trackingId];
  if (id === undefined) return undefined;
  const [, instance = "", group, kind, namespace = "", name] =
    /^([^:]+):([^:/]*)\/([^:/]+):([^:/]*)\/([^:/]+)$/.exec(id) ?? [];
  const own = image.metadata.namespace;
  const isSelf = group === groupOf(image) && kind === image.kind && name === image.metadata.name;
  const application = applicationOf(instance);
  if (isSelf && (own === undefined || own === namespace) && application !== undefined) {
    return {
      kind: "argo-cd",
      certainty: "sure",
      because: `annotation ${trackingId} names this object`,
      ...application,
    };
  }
  return `${manifestName(image)} bears ${trackingId} "${id.slice(0, 200)}", which does not name it: a copy, which Argo CD leaves alone.`;
}

/** Of an application outside of Argo CD's own namespace: `namespace_name`. */
function applicationOf(instance: string): { application: string; namespace: string | undefined } | undefined {
  const [first = "", ...rest] = instance.split("_");
  const [namespace, application = ""] = rest.length === 0 ? [undefined, first] : [first, rest.join("_")];
  const isValid = isName(application) && (namespace === undefined || isName(namespace));
  return isValid ? { application, namespace } : undefined;
}

/** Helm's charts set `app.kubernetes.io/instance` too. */
function argoLabel(image: Image, managers: readonly string[] | undefined): Found {
  const { labels = {} } = image.metadata;
  const key = ["argocd.argoproj.io/instance", "app.kubernetes.io/instance"].find((one) => labels[one] !== undefined);
  const application = key === undefined ? undefined : applicationOf(labels[key] ?? "");
  if (key === undefined || application === undefined) return undefined;
  const writes = managers?.find((manager) => manager.startsWith("argocd"));
  const others = key.startsWith("app.") ? ", which Helm charts and people set too" : ", which may be copied";
  return writes === undefined
    ? { kind: "argo-cd", certainty: "maybe", because: `label ${key}${others}`, ...application }
    : { kind: "argo-cd", certainty: "sure", because: `label ${key}, and ${writes} wrote it`, ...application };
}

/** Flux goes by its inventory, not by labels: where its controller never wrote the object, they were copied. */
function flux(image: Image, managers: readonly string[] | undefined): readonly Found[] {
  const { labels = {} } = image.metadata;
  const kinds = [
    { kind: "flux-kustomization", prefix: "kustomize.toolkit.fluxcd.io", manager: "kustomize-controller" },
    { kind: "flux-helm-release", prefix: "helm.toolkit.fluxcd.io", manager: "helm-controller" },
  ] as const;
  return kinds.map(({ kind, prefix, manager }) => {
    const [name = "", namespace = ""] = [labels[`${prefix}/name`], labels[`${prefix}/namespace`]];
    if (!isName(name) || !isName(namespace)) return undefined;
    const because = `labels ${prefix}/name and /namespace`;
    const isSure = managers === undefined || managers.includes(manager);
    return isSure
      ? { kind, name, namespace, certainty: "sure", because }
      : {
          kind,
          name,
          namespace,
          certainty: "maybe",
          because: `${because}, but ${manager} never wrote it: perhaps a copy`,
        };
  });
}

function helm(image: Image, managers: readonly string[] | undefined): Found {
  const { labels = {}, annotations = {} } = image.metadata;
  const release = annotations["meta.helm.sh/release-name"] ?? "";
  const namespace = annotations["meta.helm.sh/release-namespace"] ?? "";
  const isManaged = labels[marks.managedBy] === "Helm";
  if (!isName(release) || !isName(namespace)) {
    return isManaged
      ? `${manifestName(image)} bears the label ${marks.managedBy}: Helm and no release: Helm leaves alone what no release names.`
      : undefined;
  }
  const isSure = isManaged && (managers === undefined || managers.some((manager) => /^helm\b/i.test(manager)));
  const because = "annotations meta.helm.sh/release-name and release-namespace";
  return isSure
    ? { kind: "helm", certainty: "sure", because, release, namespace }
    : {
        kind: "helm",
        certainty: "maybe",
        because: `${because}, but Helm never wrote it: perhaps a copy`,
        release,
        namespace,
      };
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

function applied(image: Image): Found {
  const text = image.metadata.annotations?.[lastApplied];
  if (text === undefined) return undefined;
  const { metadata, kind } = parsed(text);
  const isSelf = kind === image.kind && metadata?.name === image.metadata.name;
  return isSelf
    ? { kind: "kubectl-apply", certainty: "maybe", because: "annotation last-applied-configuration" }
    : `${manifestName(image)} bears the last-applied-configuration of another object: a copy.`;
}

type Applied = { readonly kind?: unknown; readonly metadata?: { readonly name?: unknown } };

function parsed(text: string): Applied {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Applied) : {};
  } catch {
    return {};
  }
}

function bulkhead({ metadata: { labels = {} } }: Image): Found {
  const operation = labels[marks.operation];
  if (operation === undefined || labels[marks.managedBy] !== "bulkhead") return undefined;
  return isName(operation)
    ? { kind: "bulkhead", certainty: "sure", because: `label ${marks.operation}`, operation }
    : undefined;
}

export function groupOf({ apiVersion }: Pick<Image, "apiVersion">): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

/** A DNS-1123 subdomain: what Kubernetes lets an application, a release or a namespace be called. */
function isName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text);
}
