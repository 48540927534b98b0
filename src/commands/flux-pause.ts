import { fluxReconcile } from "../policy/flux-pause.ts";
import { manifestName } from "../policy/manifest.ts";
import type { Operation } from "../policy/operation.ts";
import { ownershipOf } from "../policy/owner.ts";
import { principalName } from "../policy/principal.ts";
import { lineageOf, type RawPolicy } from "../policy/revision.ts";
import type { UndoPlan, UndoWrite } from "../policy/undo-plan.ts";
import { list } from "./answers.ts";
import type { Button, Section } from "./reply.ts";
import type { Services } from "./services.ts";
import { stepOf } from "./undo-author.ts";
import { objectOf } from "./undo-rehearsal.ts";

type Writing = {
  readonly cluster: string;
  /** The undo that is undone: where that paused Flux, the pause comes off with it. */
  readonly undoes: UndoPlan["undoes"];
  /** By lineageOf. */
  readonly stored: ReadonlyMap<string, RawPolicy | undefined>;
};

/** Where configuration says so: the writes of policies that are certainly a Flux Kustomization's, with its pause. */
export async function withPauses(
  { settings, operations }: Services,
  { cluster, undoes, stored }: Writing,
  writes: readonly UndoWrite[],
): Promise<readonly UndoWrite[]> {
  if (settings.suspendFlux !== true) return writes;
  const undone = undoes === undefined ? undefined : await operations.get(undoes);
  const ended = new Set(undone === undefined ? [] : pausesOf(undone).map(nameOf));
  return writes.map((write) => {
    const { apiVersion, kind, metadata } = objectOf(write);
    const { namespace, name } = metadata;
    const there = stored.get(lineageOf({ cluster, apiVersion, kind, namespace, name }));
    const isPaused = !ended.has(nameOf(write)) && belongsToFlux(write, there);
    return isPaused ? { ...write, pausesFlux: true } : write;
  });
}

/** What Flux is told of it already stays as it was told. */
function belongsToFlux({ from, to }: UndoWrite, stored: RawPolicy | undefined): boolean {
  if (to === undefined || to.metadata.annotations?.[fluxReconcile] !== undefined) return false;
  const { owners } = ownershipOf(from ?? to, stored?.metadata.managedFields);
  return owners.some(({ kind, certainty }) => kind === "flux-kustomization" && certainty === "sure");
}

/** Those writes of an undo after which Flux is to leave the policy alone; none of any other operation. */
export function pausesOf({ plan }: Pick<Operation, "plan">): readonly UndoWrite[] {
  return plan?.kind === "undo" ? plan.writes.filter(({ pausesFlux }) => pausesFlux === true) : [];
}

function nameOf(write: UndoWrite): string {
  return manifestName(objectOf(write));
}

/** What Flux leaves alone by an undo that was written, or who ended that. */
export function pauseSections(operation: Operation): readonly Section[] {
  const { id, state, steps, fluxResumed } = operation;
  const paused = pausesOf(operation).filter((write) => steps.some(({ step }) => step === stepOf(write)));
  if (paused.length === 0 || (state !== "done" && state !== "failed")) return [];
  if (fluxResumed !== undefined) {
    const at = new Date(fluxResumed.at).toISOString();
    return [list(undefined, [`Flux was resumed by ${principalName(fluxResumed.by)} at ${at}.`])];
  }
  const until = `Until Resume Flux is pressed, or /np end ${id} typed, or this is rolled back.`;
  return [list("Flux leaves alone what this wrote of", [...paused.map(nameOf), until])];
}

export function pauseButtons(operation: Operation): readonly Button[] {
  return operation.fluxResumed === undefined && pauseSections(operation).length > 0 ? [resume] : [];
}

const resume: Button = { action: "resume-flux", label: "Resume Flux", style: undefined };
