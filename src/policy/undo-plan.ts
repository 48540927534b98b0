import { canonicalHash } from "./canonical.ts";
import { manifestName } from "./manifest.ts";
import type { Enforcement } from "./plan.ts";
import { type Author, type Image, type Revision, referenceOf } from "./revision.ts";
import type { NamespaceTarget } from "./target.ts";
import type { Stop } from "./undo.ts";

/** What reversing changes of policies would write, and what opens and closes by it. */
export type UndoPlan = {
  readonly kind: "undo";
  readonly version: 1;
  /** Where its first write is; the empty namespace for what is cluster-scoped. */
  readonly target: NamespaceTarget;
  /** The revisions that were asked for; with `way`, what it is drawn from again. */
  readonly asked: readonly AskedRevision[];
  /** The undo whose changes these are; undefined where others are undone. */
  readonly undoes?: string;
  /** What it undoes, newest first. */
  readonly changes: readonly UndoneChange[];
  /** Where it ends before all that was asked for is undone; undefined: nowhere. */
  readonly stop?: UndoStop;
  /** What was chosen where a policy was changed again after the change that is to be undone. */
  readonly way: UndoWay;
  /** In the order in which they are written; one for each policy. */
  readonly writes: readonly UndoWrite[];
  /** What opens by all policies, most important first, as sentences; it widens where there is any. */
  readonly opens: readonly string[];
  /** Namespaces whose policies take part in that; whoever begins it may allow there. The empty name is for what is cluster-scoped. */
  readonly opensIn: readonly string[];
  readonly closes: readonly string[];
  /** What could not be decided: it counts as widening too. */
  readonly undecided: readonly string[];
  readonly warnings: readonly string[];
  /** Of policies that somebody else will write again: by whom, when, and what to do about it, as sentences. */
  readonly owners: readonly string[];
  readonly approvals: { readonly needed: number; readonly from: readonly string[] };
  /** It widens, and others should have agreed, and nobody was asked. */
  readonly breakGlass: boolean;
  /** Guard rails that it overrides, as clauses; undefined: none. */
  readonly overrides?: readonly string[];
  readonly choices: { readonly confirm: string | undefined; readonly override: boolean };
  readonly enforcement: Enforcement;
  readonly confirmations: 1 | 2;
  /** Over what is written and the workload-level delta, not over resourceVersions. */
  readonly hash: string;
};

/** `policy`: lineageOf, since an id alone is short enough to be that of another change, too. */
export type AskedRevision = { readonly revision: string; readonly policy: string };

/** `alone`: as it was before the one change. `later-too`: what came after it is undone with it. `merge`: what came after it stays. */
export type UndoWay = "alone" | "later-too" | "merge";

/** A revision, as far as a plan tells of it. */
export type UndoneChange = {
  readonly revision: string;
  /** The empty name is for what is cluster-scoped. */
  readonly namespace: string;
  /** manifestName. */
  readonly policy: string;
  readonly change: "created" | "changed" | "deleted";
  readonly at: number;
  readonly authors: readonly Author[];
  readonly gap: boolean;
};

/** The change at which a plan ends, and why. Without any write it waits for one of the ways. */
export type UndoStop = {
  readonly change: UndoneChange;
  /** A clause. */
  readonly why: string;
  /** What came later, newest first; none where it is not known yet who did it. */
  readonly later: readonly UndoneChange[];
  /** Those that would get past it. */
  readonly ways: readonly UndoWay[];
  /** How many of those asked for stay as they are, this one included. */
  readonly left: number;
};

/** One object from what is there to what is to be there; undefined is not there. Images, so that both ways can be shown and undone. */
export type UndoWrite = {
  readonly from: Image | undefined;
  /** Of what is there. */
  readonly uid: string | undefined;
  readonly to: Image | undefined;
  /** Flux, whose the policy is, is told on the object to leave it alone (flux-pause.ts), which is no part of an image. */
  readonly pausesFlux?: true;
};

/** A revision, as a plan tells of it. */
export function changeOf(revision: Revision): UndoneChange {
  const { id, namespace = "", change, at, authors, gap } = revision;
  return { revision: id, namespace, policy: manifestName(referenceOf(revision)), change, at, authors, gap };
}

/** The same of where it ends; `left` as in UndoStop. */
export function stopOf({ revision, why, later, ways }: Stop, left: number): UndoStop {
  return { change: changeOf(revision), why, later: later.map(changeOf), ways, left };
}

/** Whether anything opens by it, or may: it then needs what an allowance needs. */
export function widens({ opens, undecided }: Pick<UndoPlan, "opens" | "undecided">): boolean {
  return opens.length > 0 || undecided.length > 0;
}

/** Where a write is; the empty name for what is cluster-scoped. */
export function namespaceOf({ from, to }: UndoWrite): string {
  return (to ?? from)?.metadata.namespace ?? "";
}

/** Where all lies that the plan tells of, whether it is written or stays. */
export function namespacesTold({ writes, changes, stop }: UndoPlan): readonly string[] {
  const stays = stop === undefined ? [] : [stop.change, ...stop.later];
  return [...new Set([...writes.map(namespaceOf), ...[...changes, ...stays].map(({ namespace }) => namespace)])];
}

/**
 * SHA-256 over what is undone and written, who must agree, and the effect by workload (`digest` of it); not over versions of
 * objects, words, nor who owns the policies.
 */
export function undoHash(plan: Omit<UndoPlan, "hash" | "enforcement" | "warnings" | "owners">, digest: string): string {
  const { changes, writes, stop, opens: _o, closes: _c, undecided: _u, ...rest } = plan;
  return canonicalHash({
    ...rest,
    changes: changes.map(({ revision }) => revision),
    writes: writes.map(({ from = null, to = null, pausesFlux }) => ({ from, to, ...(pausesFlux && { pausesFlux }) })),
    stop: stop === undefined ? null : { at: stop.change.revision, later: stop.later.map(({ revision }) => revision) },
    widens: widens(plan),
    digest,
  });
}
