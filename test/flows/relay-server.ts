import { methodOf } from "../../src/flows/grpc-connection.ts";
import { type ServerTls, type Stream, startGrpcServer } from "./grpc-server.ts";

const getFlows = methodOf("observer.proto", "observer.Observer", "GetFlows");
const serverStatus = methodOf("observer.proto", "observer.Observer", "ServerStatus");

export type HubbleFlow = Readonly<Record<string, unknown>> & {
  readonly time: { readonly seconds: string; readonly nanos: number };
};

type Filter = {
  readonly verdict?: readonly unknown[];
  readonly event_type?: readonly {
    readonly type: number;
    readonly match_sub_type?: boolean;
    readonly sub_type?: number;
  }[];
  readonly source_pod?: readonly string[];
  readonly destination_pod?: readonly string[];
  readonly traffic_direction?: readonly unknown[];
  readonly drop_reason_desc?: readonly unknown[];
};

export type FlowsRequest = { readonly whitelist: readonly Filter[]; readonly since?: HubbleFlow["time"] };

/** A Hubble relay that remembers what it saw, as a ring that is large enough, and filters as Hubble does (facts: denied-flows §1). */
export type RelayServer = {
  readonly port: number;
  readonly address: string;
  /** What GetFlows was asked, in order. */
  readonly requests: readonly FlowsRequest[];
  /** Streams that are open. */
  open(): number;
  saw(...flows: HubbleFlow[]): void;
  /** To all streams, past all filters, as an object or in bytes. */
  tell(response: object): void;
  goAway(): void;
  kill(): void;
  [Symbol.asyncDispose](): Promise<void>;
};

export type RelayOptions = {
  readonly tls?: ServerTls | undefined;
  readonly port?: number;
  /** Which flows were seen before it started. */
  readonly ring?: readonly HubbleFlow[];
  /** As an old server does, with filters that it does not know. */
  readonly knowsFilters?: boolean;
  readonly status?: () => object;
};

/** On a free port, or on the one of a server that is gone. */
export async function startRelay(options: RelayOptions = {}): Promise<RelayServer> {
  const ring = [...(options.ring ?? [])];
  const requests: FlowsRequest[] = [];
  const streams = new Map<Stream, readonly Filter[]>();
  const passes = (flow: HubbleFlow, filters: readonly Filter[]) =>
    options.knowsFilters === false || filters.some((filter) => matches(flow, filter));
  const handle = (stream: Stream) => {
    const request = stream.request as FlowsRequest;
    const { whitelist, since } = request;
    requests.push(request);
    streams.set(stream, whitelist);
    stream.on("cancelled", () => streams.delete(stream));
    stream.on("error", () => streams.delete(stream));
    if (since === undefined) return;
    for (const flow of ring)
      if (nanosOf(flow.time) >= nanosOf(since) && passes(flow, whitelist)) stream.write({ flow });
  };
  const { port, server } = await startGrpcServer(
    {
      stream: { method: getFlows, handle },
      unary: { method: serverStatus, answer: options.status ?? (() => ({ max_flows: "4095", seen_flows: "1" })) },
    },
    options,
  );
  return {
    port,
    address: `127.0.0.1:${port}`,
    requests,
    open: () => streams.size,
    saw(...flows) {
      ring.push(...flows);
      for (const [stream, filters] of streams)
        for (const flow of flows) if (passes(flow, filters)) stream.write({ flow, node_name: flow["node_name"] });
    },
    tell: (response) => [...streams.keys()].forEach((stream) => stream.write(response)),
    goAway: () => server.drain(`127.0.0.1:${port}`, 200),
    kill: () => server.forceShutdown(),
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

function nanosOf({ seconds, nanos }: HubbleFlow["time"]): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos ?? 0);
}

/** Fields of a filter are all to match, and one of each list. */
function matches(flow: HubbleFlow, filter: Filter): boolean {
  const { type, sub_type = 0 } = Object(flow["event_type"]);
  const one = (list: readonly unknown[] | undefined, value: unknown) => !list?.length || list.includes(value);
  const event =
    !filter.event_type?.length ||
    filter.event_type.some((of) => of.type === type && (!of.match_sub_type || (of.sub_type ?? 0) === sub_type));
  const pod = (list: readonly string[] | undefined, end: unknown) => {
    const { namespace, pod_name } = Object(end);
    return !list?.length || list.some((prefix) => `${namespace}/${pod_name}`.startsWith(prefix));
  };
  return (
    event &&
    one(filter.verdict, flow["verdict"]) &&
    one(filter.traffic_direction, flow["traffic_direction"]) &&
    one(filter.drop_reason_desc, flow["drop_reason_desc"]) &&
    pod(filter.source_pod, flow["source"]) &&
    pod(filter.destination_pod, flow["destination"])
  );
}
