import { hash } from "node:crypto";
import type { FlowSource } from "./flow-source.ts";
import { methodOf } from "./grpc-connection.ts";
import { type Dialect, followGrpc, type GrpcSourceOptions, type Told } from "./grpc-source.ts";
import { itemOfHubble } from "./hubble-flow.ts";
import { createNodes, type NodeStatus, tellsSinceMs } from "./hubble-nodes.ts";
import { hubbleRequest, isWanted, type WantedFlow } from "./hubble-request.ts";
import type { FlowItem } from "./record.ts";

export type HubbleRelayOptions = GrpcSourceOptions & {
  /** Drops for reasons that are no policy's, too: they are counted in a line of their own, and can be very many. Default: no. */
  readonly otherDrops?: boolean | undefined;
};

/** What of GetFlowsResponse is looked at before a record is made of it. */
type Response = {
  readonly flow?: WantedFlow & { readonly uuid?: string };
  readonly node_status?: NodeStatus;
  readonly lost_events?: object;
  readonly node_name?: string;
};

const getFlows = methodOf("observer.proto", "observer.Observer", "GetFlows");
const serverStatus = methodOf("observer.proto", "observer.Observer", "ServerStatus");

/** Relay sorts what comes within a second, and waits up to ten for a node that is slow (facts: denied-flows §1). */
const overlapMs = 10_000;

/**
 * Follows Cilium's Hubble relay, or one agent's own Hubble: of each denied packet the drop alone (of an explicit deny, and of what
 * is audited, the policy's verdict), what a proxy refused, and what was forwarded of pods of interest (facts: denied-flows §0.1, §1).
 */
export function followHubbleRelay(options: HubbleRelayOptions): FlowSource {
  const { cluster, interests, otherDrops = false } = options;
  const nodes = createNodes();
  const wanted = {
    otherDrops,
    hasInterest: (namespace: string, pod: string) => interests.has({ cluster, namespace, pod }),
  };
  const dialect: Dialect = {
    followed: { kind: "hubble-relay", expected: "Hubble relay" },
    format: "hubble",
    alive: { method: serverStatus, request: {} },
    stream: getFlows,
    overlapMs,
    request: (sinceMs, all) => hubbleRequest(sinceMs, all, otherDrops),
    read(message, nowMs) {
      const { flow, node_status: status, lost_events: lost, node_name: node }: Response = message;
      if (status !== undefined) {
        nodes.heed(status);
        return "status";
      }
      const item = itemOfHubble(message, { atMs: nowMs, node });
      if (flow === undefined) return lost === undefined ? undefined : toldOf(undefined, message, item);
      return isWanted(flow, item, wanted) ? toldOf(flow.uuid, message, item) : undefined;
    },
    degraded(answer) {
      if (answer !== undefined) nodes.are(answer);
      return nodes.words();
    },
    tellsSinceMs,
  };
  return followGrpc(options, dialect);
}

/** What has no id is known by all that it says, as events that were lost are: they are told again with the flows around them. */
function toldOf(uuid: string | undefined, message: object, item: FlowItem): Told {
  const id = uuid === undefined || uuid === "" ? hash("sha1", JSON.stringify(message), "base64") : uuid;
  const atMs = item.kind === "flow" ? item.record.toMs : item.kind === "lost" ? item.atMs : 0;
  return { id, atMs, items: [item] };
}
