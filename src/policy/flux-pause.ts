import type { Manifest } from "./manifest.ts";
import { marks } from "./marks.ts";

/** Flux's own annotation: `disabled` on an object in the cluster, and it neither applies nor prunes that one (facts: kubernetes-client §4). */
export const fluxReconcile = "kustomize.toolkit.fluxcd.io/reconcile";

type Annotations = Readonly<Record<string, string>>;

/** What makes Flux leave an object alone, and says which undo wanted that. */
export function pauseAnnotations(undo: string): Annotations {
  return { [fluxReconcile]: "disabled", [marks.pausesFlux]: undo };
}

/** The undo by which Flux leaves the object alone; undefined where none does, or somebody has changed Flux's annotation since. */
export function pausedBy({ metadata: { annotations = {} } }: Pick<Manifest, "metadata">): string | undefined {
  return annotations[fluxReconcile] === "disabled" ? annotations[marks.pausesFlux] : undefined;
}

/** Without a pause of ours; Flux's annotation that somebody else set stays. */
export function withoutPause(annotations: Annotations): Annotations {
  const { [marks.pausesFlux]: undo, ...others } = annotations;
  if (undo === undefined || others[fluxReconcile] !== "disabled") return others;
  const { [fluxReconcile]: _ours, ...rest } = others;
  return rest;
}
