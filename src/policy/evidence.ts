import type { Labels } from "./objects.ts";

/** One thing that was looked up: what it is, or why that is not known (the server's words, hostile). */
export type Reading<T> = { readonly read: true; readonly value: T } | { readonly read: false; readonly why: string };

/** What a cluster was seen to hold that tells which policy engines it enforces. Plain data, and no judgement. */
export type EngineEvidence = {
  /** Milliseconds since the epoch, by the caller's clock. */
  readonly readAt: number;
  /** `group/version/plural` of every policy kind that is served. */
  readonly served: Reading<readonly string[]>;
  /** Groups, as `group/version`, that are served and whose kinds could not be read. */
  readonly unreadGroups: readonly { readonly groupVersion: string; readonly why: string }[];
  /** The DaemonSets that are network plugins by their look (network-plugins.ts). */
  readonly agents: Reading<readonly Agent[]>;
  /** The ConfigMaps that were looked for, by name; undefined where there is none of that name. */
  readonly configMaps: Readonly<Record<string, Reading<ConfigMapData | undefined>>>;
  /** What overrides cilium-config on some nodes; read only where Cilium's agent is there. */
  readonly ciliumNodeConfigs: Reading<readonly CiliumNodeConfig[]>;
  /** Tiers of Calico with their order; undefined is last. */
  readonly calicoTiers: Reading<readonly CalicoTier[]>;
  /** One for each node; read only where Antrea's agent is there. */
  readonly antreaAgents: Reading<readonly AntreaAgent[]>;
};

export type ConfigMapData = Readonly<Record<string, string>>;

export type CiliumNodeConfig = { readonly name: string; readonly defaults: ConfigMapData };

export type CalicoTier = { readonly name: string; readonly order: number | undefined };

/** A DaemonSet, as much of it as tells what it is, how it is switched and whether it runs. */
export type Agent = {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly containers: readonly AgentContainer[];
  /** Names of the ConfigMaps that it mounts. */
  readonly mounts: readonly string[];
  readonly desired: number;
  readonly ready: number;
  /** The status tells of another generation than the newest, or pods of an older one still run. */
  readonly rollingOut: boolean;
  /** The nodes where a pod of it is ready. */
  readonly readyOn: Reading<readonly string[]>;
};

export type AgentContainer = {
  readonly name: string;
  /** As the pod template has it: registry, repository, tag, digest. */
  readonly image: string;
  /** Command and arguments. */
  readonly args: readonly string[];
};

export type AntreaAgent = {
  readonly node: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    /** Milliseconds since the epoch; NaN where it is not told. */
    readonly heartbeatAt: number;
  }[];
};

/** What a canary saw: two pods of its own, and whether a NetworkPolicy cut them off. */
export type Canary = {
  readonly enforced: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The node pools where it looked, for people. */
  readonly pools: readonly string[];
};
