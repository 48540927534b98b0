import type { AuditLog } from "../audit/log.ts";
import type { History } from "../history/history.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import type { Access } from "../policy/access.ts";
import type { Endpoint } from "../policy/endpoint.ts";
import type { CardReference, Operation } from "../policy/operation.ts";
import type { Enforcement } from "../policy/plan.ts";
import type { Template } from "../policy/template.ts";
import type { Canaries } from "../scheduler/enforcement.ts";
import type { Incidents } from "../scheduler/incidents.ts";
import type { Lease, Leases } from "../scheduler/leases.ts";
import type { Limits } from "../scheduler/limits.ts";
import type { Observations } from "../scheduler/observations.ts";
import type { Held, Operations } from "../scheduler/operations.ts";
import type { Timers } from "../scheduler/timers.ts";
import type { Outlet } from "./desk.ts";
import type { FlowServices } from "./flow-services.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Request } from "./request.ts";
import type { Tracing } from "./tracing.ts";

/** The templates that were approved beforehand, as they are now. */
export type Templates = {
  all(): readonly Template[];
  /** What keeps files from being templates; where one was good before, that still holds. */
  problems(): readonly { readonly file: string; readonly reason: string }[];
};

/** What configuration decides for commands. */
export type Settings = {
  readonly access: Access;
  readonly protectedNamespaces: readonly string[];
  readonly ownNamespace: string;
  readonly redisService: { readonly name: string; readonly namespace: string } | undefined;
  readonly endpoints: readonly Endpoint[];
  /** What a lockdown leaves open for DNS; undefined: the cluster's own, as it is found. */
  readonly dns?: readonly Endpoint[];
  readonly settleMs: number;
  /** How long an engine that tells is waited for until it says that what was written is in force. */
  readonly realiseMs: number;
  /** Whether Calico's policies may be written where it stores them, which validates and defaults nothing. */
  readonly writesCalicoStorage: boolean;
  /** Whether a quarantine takes the labels off that Services and controllers go by, where the person does not say. */
  readonly detach: boolean;
  readonly limits: LimitSettings;
  readonly clusters: ClusterSettings;
  readonly canary: CanarySettings;
  /** How long others may approve, milliseconds. */
  readonly approvalMs: number;
  /** The longest that what was opened without approval stays open, milliseconds. */
  readonly breakGlassMs: number;
  /** How often Bulkhead puts back by itself what somebody else did to an operation, for each kind of it. Default 0. */
  readonly driftRestores?: number;
  /** How many other people must agree to a rollback that opens anything. */
  readonly rollbackApprovals: number;
  /** Whether a rollback tells Flux to leave alone what it writes of Flux's policies. Default: no. */
  readonly suspendFlux?: boolean;
  /** Whether nothing is opened in a cluster that the reaper has not read lately (reaperState). */
  readonly requiresReaper: boolean;
};

/** How verify-enforcement finds out; times in milliseconds. */
export type CanarySettings = {
  /** Where its pods run: nothing else does. */
  readonly namespace: string;
  /** An image with Node; undefined is the one that Bulkhead itself runs. */
  readonly image: string | undefined;
  /** The label that tells node pools apart; undefined: those of the big vendors. */
  readonly nodePoolLabel: string | undefined;
  readonly tolerateTaints: boolean;
  /** How long a pod may take to start, and a policy to take effect. */
  readonly startMs: number;
  readonly effectMs: number;
  /** How long the result counts. */
  readonly keepMs: number;
};

/** Pods that one operation may cut off; confirmed actions in any minute. */
export type LimitSettings = { readonly pods: number; readonly perPerson: number; readonly perCluster: number };

/** Which cluster is meant where none is named, and which one Bulkhead itself belongs to. */
export type ClusterSettings = {
  /** Bulkhead's own namespace, its records and its Redis are in this one. */
  readonly home: string;
  readonly defaultCluster: string | undefined;
  /** By channel id. */
  readonly channels: Readonly<Record<string, string>>;
};

export type ClusterEntry = { readonly cluster: Cluster; readonly enforcement: Enforcement };

/** Something that is counted or timed; main.ts makes metrics of it. */
export type MeterEvent =
  | { readonly kind: "command"; readonly verb: string; readonly outcome: string; readonly ms: number }
  | {
      readonly kind: "step";
      readonly verb: string;
      readonly step: string;
      readonly sinceCommandMs: number;
      readonly sinceConfirmMs: number;
    }
  | { readonly kind: "refusal"; readonly verb: string }
  /** An operation that another replica had left in this state. */
  | { readonly kind: "takeover"; readonly state: string }
  /** An object of an allowance that was closed, at most so long after its end. */
  | { readonly kind: "closed"; readonly net: string; readonly lateMs: number }
  /** How many objects of allowances a list found past their end, and since when the oldest of them is. */
  | { readonly kind: "overdue"; readonly cluster: string; readonly count: number; readonly oldestMs: number }
  | { readonly kind: "error"; readonly where: string; readonly message: string };

/** Everything that commands need from the world. */
export type Services = {
  readonly settings: Settings;
  readonly clusters: ReadonlyMap<string, ClusterEntry>;
  readonly operations: Operations;
  readonly leases: Leases;
  readonly limits: Limits;
  /** What wakes replicas up; the cluster holds what is due. Undefined at a terminal that reaches no Redis. */
  readonly timers?: Timers;
  readonly templates: Templates;
  /** Undefined at a terminal that reaches no Redis. */
  readonly history?: History;
  readonly audit: AuditLog;
  /** What the reaper says of itself; undefined where it never ran. Throws where the cluster cannot be asked. */
  readonly heartbeat?: () => Promise<Heartbeat | undefined>;
  /** What is wrong with the settings of the store, as sentences, when they were looked at last. */
  readonly storeProblems?: () => readonly string[];
  readonly incidents: Incidents;
  /** Undefined at a terminal that reaches no Redis. */
  readonly canaries?: Canaries;
  /** What flow sources showed of operations. Undefined at a terminal that reaches no Redis. */
  readonly observations?: Observations;
  /** Undefined where no flow source is configured, and at a terminal that reaches no Redis. */
  readonly flows?: FlowServices;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after so many milliseconds; tests pass a clock of their own. */
  wait(ms: number): Promise<void>;
  /** Which replica writes, for the audit. */
  readonly replica: string;
  meter(event: MeterEvent): void;
  /** Default: nothing is traced. */
  readonly tracing?: Tracing | undefined;
};

/** One command, or one press on a button, on its way. */
export type Context<Asked = Request> = {
  readonly services: Services;
  readonly request: Asked;
  readonly outlet: Outlet;
};

/** The cluster of an operation. Throws where configuration no longer names it: nothing can be done then. */
export function clusterOf(services: Services, name: string): ClusterEntry {
  const entry = services.clusters.get(name);
  if (entry === undefined) throw new Error(`cluster ${name} is not configured`);
  return entry;
}

/** Stores the operation; throws `LostRace` where another replica or click was first. */
export async function store(services: Services, operation: Operation): Promise<Operation> {
  const stored = await services.operations.replace(operation);
  if (stored === undefined) throw new LostRace(operation.id);
  return stored;
}

/** The same, and takes the operation's lease with it. */
export async function storeAndHold(services: Services, operation: Operation): Promise<Held> {
  const held = await services.operations.replaceAndHold(operation);
  if (held === undefined) throw new LostRace(operation.id);
  return held;
}

/**
 * Changes an operation whatever others change at the same time: read, change, compare-and-set, a few times. Throws
 * `LostRace` where that does not help, and where `lease` is given and lost.
 */
export async function amend(
  services: Services,
  id: string,
  change: (operation: Operation) => Operation,
  { lease, tries = 5 }: { readonly lease?: Lease | undefined; readonly tries?: number } = {},
): Promise<Operation> {
  const current = await services.operations.get(id);
  if (current === undefined) throw new Error(`operation ${id} is not stored any more`);
  const stored = await services.operations.replace(change(current), lease);
  if (stored !== undefined) return stored;
  if (tries <= 1) throw new LostRace(id);
  return amend(services, id, change, { lease, tries: tries - 1 });
}

/** Keeps where the operation's card lies; without a card there is nothing to keep. */
export async function attachCard(
  services: Services,
  { id }: Operation,
  card: CardReference | undefined,
): Promise<Operation | undefined> {
  return card === undefined ? undefined : amend(services, id, (operation) => ({ ...operation, card }));
}

/**
 * The same for what was shown already: that it could not be kept is metered, and makes no failure of what was done. A
 * card that is not kept is found by the next press on it. Never rejects.
 */
export async function keepCard(
  services: Services,
  operation: Operation,
  card: CardReference | undefined,
): Promise<void> {
  try {
    await attachCard(services, operation, card);
  } catch (error) {
    services.meter({ kind: "error", where: "keep card", message: String(error) });
  }
}

/** Somebody else changed the operation first: whoever catches it reads again and decides again. */
export class LostRace extends Error {
  constructor(operation: string) {
    super(`operation ${operation} was changed by somebody else at the same time`);
    this.name = "LostRace";
  }
}
