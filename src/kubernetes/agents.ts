import type { Agent, AgentContainer, AntreaAgent, Reading } from "../policy/evidence.ts";
import { pluginsOf } from "../policy/network-plugins.ts";
import type { LabelSelector } from "../policy/objects.ts";
import { selectorQuery } from "../policy/selector.ts";
import type { Connection } from "./connection.ts";
import { listAll } from "./list.ts";
import { parsePod, type RawObject } from "./parse.ts";
import { collectionPath, resources } from "./resources.ts";
import { attempt } from "./served-kinds.ts";

/** The DaemonSets of the cluster that are network plugins, and the nodes where they are ready. */
export async function listAgents(connection: Connection, signal: AbortSignal): Promise<readonly Agent[]> {
  const { items } = await listAll(connection, collectionPath(resources.daemonSets), parseAgent, { signal });
  return Promise.all(
    items
      .filter((found) => pluginsOf(found).length > 0)
      .map(async ({ selector, ...agent }) => ({
        ...agent,
        readyOn: await readyNodes(connection, { ...agent, selector }, signal),
      })),
  );
}

/** An AntreaAgentInfo (crd.antrea.io/v1beta1), named after its node. */
export function parseAntreaAgent(raw: unknown): AntreaAgent {
  const { metadata, nodeRef, agentConditions } = raw as RawAntreaAgent;
  return {
    node: nodeRef?.name ?? metadata?.name ?? "",
    conditions: (agentConditions ?? []).map(({ type = "", status = "", lastHeartbeatTime = "" }) => ({
      type,
      status,
      heartbeatAt: Date.parse(lastHeartbeatTime),
    })),
  };
}

type RawAntreaAgent = RawObject & {
  readonly nodeRef?: { readonly name?: string };
  readonly agentConditions?: readonly {
    readonly type?: string;
    readonly status?: string;
    readonly lastHeartbeatTime?: string;
  }[];
};

type RawContainer = {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
};

type RawDaemonSet = RawObject<
  {
    readonly selector?: LabelSelector;
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly RawContainer[];
        readonly volumes?: readonly { readonly configMap?: { readonly name?: string } }[];
      };
    };
  },
  {
    readonly observedGeneration?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberReady?: number;
    readonly updatedNumberScheduled?: number;
  }
> & { readonly metadata?: { readonly generation?: number } };

type Found = Omit<Agent, "readyOn"> & { readonly selector: LabelSelector };

function parseAgent(raw: unknown): Found {
  const { metadata = {}, spec = {} } = raw as RawDaemonSet;
  const { containers = [], volumes = [] } = spec.template?.spec ?? {};
  return {
    name: metadata.name ?? "",
    namespace: metadata.namespace ?? "",
    labels: metadata.labels ?? {},
    selector: spec.selector ?? { matchExpressions: [{ key: "nothing", operator: "In", values: [] }] },
    containers: containers.map(parseContainer),
    mounts: volumes.flatMap(({ configMap }) => configMap?.name ?? []),
    ...progressOf(raw as RawDaemonSet),
  };
}

function progressOf({ metadata = {}, status = {} }: RawDaemonSet): Pick<Found, "desired" | "ready" | "rollingOut"> {
  const { desiredNumberScheduled: desired = 0, numberReady = 0, updatedNumberScheduled = 0 } = status;
  const isBehind = (status.observedGeneration ?? 0) < (metadata.generation ?? 0);
  return { desired, ready: numberReady, rollingOut: isBehind || updatedNumberScheduled < desired };
}

function parseContainer({ name = "", image = "", command, args }: RawContainer): AgentContainer {
  return { name, image, args: [...(command ?? []), ...(args ?? [])] };
}

function readyNodes(
  connection: Connection,
  { namespace, selector }: Found,
  signal: AbortSignal,
): Promise<Reading<readonly string[]>> {
  const labelSelector = selectorQuery(selector);
  return attempt(async () => {
    const path = collectionPath(resources.pods, namespace);
    const { items } = await listAll(connection, path, parsePod, { labelSelector, signal });
    return items.flatMap(({ ready, terminating, nodeName }) => (ready && !terminating ? (nodeName ?? []) : []));
  });
}
