import type { Endpoint } from "./endpoint.ts";
import type { DenyEngine } from "./engine.ts";
import type { Exclusion } from "./exclusion.ts";
import type { Manifest } from "./manifest.ts";
import type { JsonPatchOperation, Labels, NetworkPolicy, OwnerReference } from "./objects.ts";
import type { Opening } from "./openings.ts";
import type { NamespaceTarget, PodTarget, WorkloadTarget } from "./target.ts";
import type { UndoPlan } from "./undo-plan.ts";

/** What a policy leaves open that was to be closed, in words. */
export type ResidualAllow = {
  /** `allow-dns` is a NetworkPolicy of the pod's namespace; others are given with their kind. */
  readonly policy: string;
  readonly allows: string;
  /** False: only perhaps. Undefined in plans of early records: surely. */
  readonly sure?: boolean;
  /** The same for a headline, as a clause of about a hundred characters; undefined in plans of early records. */
  readonly claim?: string;
};

/** What the person chose about the way of a quarantine; undefined leaves it to configuration and detection. */
export type Choices = {
  readonly engine: DenyEngine | undefined;
  readonly detach: boolean | undefined;
  /** Whether policies of others that would still let the pod talk are to be changed, so that they select it no longer. */
  readonly changePolicies?: boolean;
  /** The name typed after --confirm, for what is refused without. */
  readonly confirm?: string | undefined;
  /** Whether guard rails that allow it are overridden, which another person has to approve. */
  readonly override?: boolean;
};

/** What a containment changes for people, in sentences; names in them come from outside. */
export type Impact = {
  /** Connections that are cut, most important first. */
  readonly loses: readonly string[];
  /** Connections that the change opens, which no containment should; whoever approves must know them. */
  readonly opens: readonly string[];
  /** What else changes: budgets. */
  readonly effects: readonly string[];
  readonly warnings: readonly string[];
  /** Credentials that are to be rotated, by name. */
  readonly rotate: readonly string[];
};

/** What a quarantine would write and what it changes: everything that the card shows and the audit keeps. */
export type QuarantinePlan = {
  readonly kind: "quarantine";
  readonly version: 1;
  readonly target: PodTarget;
  readonly podUid: string;
  /** Where it runs; undefined also in plans of early records. */
  readonly nodeName?: string | undefined;
  /** The pod's labels before: what release restores. */
  readonly labelsBefore: Labels;
  /** canonicalHash(labelsBefore). */
  readonly snapshotHash: string;
  /** The labels that come off, by key. */
  readonly removes: readonly string[];
  /** The engine that denies; undefined in plans of early records: `networkpolicy`. */
  readonly engine?: DenyEngine;
  /** How it is known what becomes of the engine's policies; undefined in plans of early records. */
  readonly because?: string;
  /** What stays open beside the configured endpoints (probes that a mesh sends); undefined in plans of early records. */
  readonly openings?: readonly Endpoint[];
  /** What the person asked for about the way, to draw it again; undefined in plans of early records. */
  readonly choices?: Choices;
  /** Written whatever the engine, and the object that bears the operation's record. */
  readonly policy: NetworkPolicy;
  /** What a stronger engine writes beside it, in order; undefined in plans of early records: nothing. */
  readonly denies?: readonly Manifest[];
  /** Changes to policies of others, undone by release; undefined in plans of early records: none. */
  readonly exclusions?: readonly Exclusion[];
  /** First write on the pod: the quarantine label. */
  readonly label: readonly JsonPatchOperation[];
  /** Second write on the pod, after the settle time: the other labels. */
  readonly strip: readonly JsonPatchOperation[];
  readonly settleMs: number;
  /** Services whose endpoints lose the pod. */
  readonly leavesServices: readonly string[];
  /** It is the last ready replica of one of them. */
  readonly lastReady: boolean;
  readonly controller: OwnerReference | undefined;
  /** What it changes, most important first: sentences for the card. */
  readonly effects: readonly string[];
  readonly warnings: readonly string[];
  /** Undefined in plans of early records. */
  readonly impact?: Impact;
  readonly residual: readonly ResidualAllow[];
  /** What can be done about what stays open, in sentences; undefined in plans of early records. */
  readonly next?: readonly string[];
  /** What it does not cut, in sentences; undefined in plans of early records. */
  readonly notCut?: readonly string[];
  /** Guard rails that it overrides, as clauses; undefined: none. */
  readonly overrides?: readonly string[];
  readonly enforcement: Enforcement;
  readonly confirmations: 1 | 2;
  /** See planHash. */
  readonly hash: string;
};

/** What the quarantine of a workload or the lockdown of a namespace would write. It touches no pod. */
export type ContainPlan = {
  readonly kind: "contain";
  readonly version: 1;
  readonly target: WorkloadTarget | NamespaceTarget;
  /** Of the workload; undefined for a namespace. */
  readonly uid: string | undefined;
  readonly choices: Choices;
  readonly engine: DenyEngine;
  /** Selects all that is cut off, also pods that start later; written whatever the engine, and bears the record. */
  readonly policy: NetworkPolicy;
  readonly denies: readonly Manifest[];
  readonly settleMs: number;
  /** How it is known what becomes of the engine's policies. */
  readonly because: string;
  /** What it does not cut, in sentences. */
  readonly notCut: readonly string[];
  /** Names of the pods that it selects now, sorted. */
  readonly pods: readonly string[];
  /** Allowances that open any of those pods, and are ended; undefined in plans of early records: none. */
  readonly ends?: readonly string[];
  /** Other workloads whose pods it selects too, as `Deployment shop/cart`. */
  readonly alsoCaught: readonly string[];
  readonly effects: readonly string[];
  readonly warnings: readonly string[];
  readonly impact?: Impact;
  readonly residual: readonly ResidualAllow[];
  /** What can be done about what stays open, in sentences. */
  readonly next: readonly string[];
  /** Guard rails that it overrides, as clauses; undefined: none. */
  readonly overrides?: readonly string[];
  readonly enforcement: Enforcement;
  readonly confirmations: 1 | 2;
  /** See containPlan's planHash. */
  readonly hash: string;
};

/** What ending one of those would write: only what was written is deleted. */
export type LiftPlan = {
  readonly kind: "release";
  readonly version: 1;
  /** The operation that it lifts. */
  readonly lifts: string;
  readonly target: WorkloadTarget | NamespaceTarget;
  readonly mode: "objects";
  /** Names of the objects, in the order in which they are deleted. */
  readonly removes: readonly string[];
  readonly effects: readonly string[];
  readonly warnings: readonly string[];
  readonly confirmations: 1;
  readonly hash: string;
};

/** What the release of a pod would write. */
export type ReleasePlan = {
  readonly kind: "release";
  readonly version: 1;
  /** The quarantine operation that it lifts. */
  readonly lifts: string;
  readonly target: PodTarget;
  readonly podUid: string;
  /** `restore` the labels, `delete` the pod, or `clean-up` where the pod is gone. */
  readonly mode: "restore" | "delete" | "clean-up";
  readonly labelsBefore: Labels;
  readonly keep: KeepChoice;
  /** The pod's own pod-deletion-cost before, to be put back. */
  readonly deletionCostBefore: string | undefined;
  readonly settleMs: number;
  /** Names of policies of others whose selector comes back; undefined in plans of early records: none. */
  readonly includes?: readonly string[];
  readonly effects: readonly string[];
  readonly warnings: readonly string[];
  readonly confirmations: 1;
  readonly hash: string;
};

/** What an allowance would write, and what really opens by it. */
export type AllowPlan = {
  readonly kind: "allow";
  readonly version: 1;
  /** The namespace that it is counted to: where its first object lies. */
  readonly target: NamespaceTarget;
  readonly template: TemplateReference;
  /** As bound, by name. */
  readonly parameters: Labels;
  readonly ttlSeconds: number;
  /** With all extensions. */
  readonly maxSeconds: number;
  /** In the order in which they are written; each ends by itself. */
  readonly objects: readonly NetworkPolicy[];
  /** What was asked for. */
  readonly openings: readonly Opening[];
  /** What opens by all policies, most important first, as sentences. */
  readonly opens: readonly string[];
  readonly warnings: readonly string[];
  readonly approvals: { readonly needed: number; readonly from: readonly string[] };
  readonly breakGlass: boolean;
  /** Whether somebody else is to look at it afterwards; a clause that says why. */
  readonly review: string | undefined;
  readonly enforcement: Enforcement;
  readonly confirmations: 1 | 2;
  /** See allowPlan's planHash. */
  readonly hash: string;
};

/** Which template, as it was then. */
export type TemplateReference = {
  readonly name: string;
  readonly title: string;
  /** Of its content. */
  readonly version: string;
  readonly owner: string;
  /** A file of runbooks/procedures. */
  readonly procedure: string;
};

export type Plan = QuarantinePlan | ContainPlan | ReleasePlan | LiftPlan | AllowPlan | UndoPlan;

/** Which replica the ReplicaSet should keep when the released pod makes one too many; `any` leaves it to the ReplicaSet. */
export type KeepChoice = "any" | "this" | "replacement";

/** Whether a policy engine is known to enforce NetworkPolicy in the cluster, as configured. */
export type Enforcement = "enforced" | "not-enforced" | "unknown";
