import { fluxReconcile } from "./flux-pause.ts";
import { manifestName } from "./manifest.ts";
import { groupOf, type Owner, ownershipOf } from "./owner.ts";
import type { Image, ManagedFields } from "./revision.ts";
import { commandLine } from "./shell.ts";
import { yamlDiff } from "./yaml-diff.ts";

/** A write that is planned, and who wrote the object as far as its managedFields tell. */
export type OwnedWrite = {
  readonly from: Image | undefined;
  readonly to: Image | undefined;
  readonly managedFields?: readonly ManagedFields[];
  readonly pausesFlux?: true;
};

/**
 * Who will write a policy again after that, when, and what stops it, as sentences with their commands; none where nobody
 * is known to.
 */
export function ownerWords({ from, to, managedFields, pausesFlux }: OwnedWrite): readonly string[] {
  const image = from ?? to;
  if (image === undefined) return [];
  const { owners, copies } = ownershipOf(image, managedFields);
  const does = to === undefined ? "makes it again" : from === undefined ? "deletes it again" : "writes it again";
  const told = owners.filter(({ kind }) => kind !== "bulkhead");
  const wordsOf = (owner: Owner): readonly string[] =>
    pausesFlux === true && owner.kind === "flux-kustomization"
      ? [`${manifestName(image)} ${paused(owner)}`]
      : [`${manifestName(image)} ${revert(owner, does)}`, ...stop(owner, to)];
  return [...told.flatMap(wordsOf), ...copies];
}

/** Whose it is in a few words, for a line: `Argo CD shop-policies`, `perhaps Argo CD shop`. */
export function ownerName(owner: Owner): string {
  const perhaps = owner.certainty === "sure" || owner.kind === "kubectl-apply" ? "" : "perhaps ";
  switch (owner.kind) {
    case "argo-cd":
      return `${perhaps}Argo CD ${applicationName(owner)}`;
    case "flux-kustomization":
      return `${perhaps}Flux Kustomization ${owner.namespace}/${owner.name}`;
    case "flux-helm-release":
      return `${perhaps}Flux HelmRelease ${owner.namespace}/${owner.name}`;
    case "helm":
      return `${perhaps}Helm release ${owner.namespace}/${owner.release}`;
    case "kubectl-apply":
      return "kubectl apply";
    case "bulkhead":
      return `Bulkhead ${owner.operation}`;
  }
}

type Argo = Extract<Owner, { kind: "argo-cd" }>;

function applicationName({ namespace, application }: Argo): string {
  return namespace === undefined ? application : `${namespace}/${application}`;
}

function paused(owner: Owner): string {
  return `belongs to ${ownerName(owner)} (${owner.because}): annotation ${fluxReconcile}: disabled is set with this write, so that Flux leaves this one object alone until somebody ends that: Resume Flux on the card, /np end with this operation's id, or its rollback.`;
}

/** Facts: kubernetes-client §4, what happens to a bot change. */
function revert(owner: Owner, does: string): string {
  const is = owner.certainty === "sure" ? "belongs" : "perhaps belongs";
  const whose = `${is} to ${ownerName(owner).replace(/^perhaps /, "")} (${owner.because})`;
  const unless = does === "deletes it again" ? ", where it prunes and its repository does not have it" : "";
  switch (owner.kind) {
    case "argo-cd":
      return `${whose}: with selfHeal Argo CD ${does} about 5 s later, else at the next sync${unless}.`;
    case "flux-kustomization":
      return `${whose}: Flux ${does} at its next interval (spec.interval), or as soon as its source changes${unless}.`;
    case "flux-helm-release":
      return `${whose}: with spec.driftDetection.mode enabled Flux ${does} at its next interval, else at the next upgrade.`;
    case "helm":
      return `${whose}: nothing happens by itself; the next helm upgrade or rollback of the release ${does} as its chart has it.`;
    case "kubectl-apply":
      return `was written by kubectl apply (${owner.because}), by a person or a pipeline: whoever applies that manifest again writes it again.`;
    case "bulkhead":
      return `${whose}.`;
  }
}

function stop(owner: Owner, to: Image | undefined): readonly string[] {
  switch (owner.kind) {
    case "argo-cd":
      return stopArgo(owner);
    case "flux-kustomization":
      return [...(to === undefined ? [] : [stopForOne(to)]), stopFlux("kustomization", owner)];
    case "flux-helm-release":
      return [stopFlux("helmrelease", owner)];
    case "helm":
      return [
        `What the release has of it: ${commandLine(["helm", "get", "manifest", owner.release, "-n", owner.namespace])}`,
      ];
    case "kubectl-apply":
    case "bulkhead":
      return [];
  }
}

/** Argo CD user guide, auto_sync and skip_reconcile. Nothing on a single object in the cluster stops it. */
function stopArgo(owner: Argo): readonly string[] {
  const set = (...policy: readonly string[]) =>
    commandLine(["argocd", "app", "set", applicationName(owner), ...policy]);
  const { application, namespace = "argocd" } = owner;
  const annotate = (value: string) => {
    const words = ["kubectl", "annotate", "applications.argoproj.io", application, "-n", namespace];
    return commandLine([...words, `argocd.argoproj.io/skip-reconcile${value}`]);
  };
  const where = owner.namespace === undefined ? " (-n is where Argo CD runs)" : "";
  return [
    `To stop that for the whole application: ${set("--sync-policy", "none")} (back, with --self-heal and --auto-prune if it had them: ${set("--sync-policy", "automated")}). It does nothing where an ApplicationSet makes the application.`,
    `Or, an alpha feature of Argo CD: ${annotate("=true")} (back: ${annotate("-")})${where}.`,
  ];
}

/** Read from the object in the cluster (Flux, Kustomization: controlling the apply behaviour). */
function stopForOne(image: Image): string {
  const { apiVersion, kind, metadata } = image;
  const resource = [kind.toLowerCase(), apiVersion.split("/").at(-1), groupOf(image)].join(".");
  const where = metadata.namespace === undefined ? [] : ["-n", metadata.namespace];
  const annotate = (value: string) =>
    commandLine(["kubectl", "annotate", resource, metadata.name, ...where, `${fluxReconcile}${value}`]);
  return `To stop that for this one object: ${annotate("=disabled")} (back: ${annotate("-")}).`;
}

function stopFlux(kind: string, { name, namespace }: { readonly name: string; readonly namespace: string }): string {
  const flux = (verb: string) => commandLine(["flux", verb, kind, name, "-n", namespace]);
  return `To stop that for all of it: ${flux("suspend")} (back: ${flux("resume")}).`;
}

/** What is to be committed where the policy comes from, so that it stays so; undefined where nothing says it comes from anywhere. */
export function repositoryPatch({
  from,
  to,
  managedFields,
}: OwnedWrite): { readonly title: string; readonly text: string } | undefined {
  const image = from ?? to;
  const [owner] = image === undefined ? [] : ownershipOf(image, managedFields).owners;
  if (image === undefined || owner === undefined || owner.kind === "bulkhead") return undefined;
  const { text } = yamlDiff(asWritten(from), asWritten(to));
  if (text === "") return undefined;
  const what = to === undefined ? "delete its manifest" : from === undefined ? "add it" : "commit this change";
  return { title: `For the repository of ${ownerName(owner)}, ${what}: ${manifestName(image)}`, text };
}

/** Marks that owners set, which no repository has. */
const setByOwners = [
  /^argocd\.argoproj\.io\/(tracking-id|instance|installation-id)$/,
  /^(kustomize|helm)\.toolkit\.fluxcd\.io\/(name|namespace|reconcile)$/,
  /^meta\.helm\.sh\//,
  /^kubectl\.kubernetes\.io\//,
];

function asWritten(image: Image | undefined): Image | undefined {
  if (image === undefined) return undefined;
  const { labels, annotations, ...rest } = image.metadata;
  const { ownerReferences: _o, finalizers: _f, ...named } = rest;
  const kept = Object.entries({ labels, annotations }).map(
    ([key, values]) => [key, withoutMarks(values ?? {})] as const,
  );
  const some = kept.filter(([, values]) => Object.keys(values).length > 0);
  return { ...image, metadata: { ...named, ...Object.fromEntries(some) } };
}

function withoutMarks(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !setByOwners.some((mark) => mark.test(key))));
}
