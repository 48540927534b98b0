import { methodOf } from "../../src/flows/grpc-connection.ts";
import { type ServerTls, type Stream, startGrpcServer } from "./grpc-server.ts";

const list = methodOf("goldmane.proto", "goldmane.Flows", "List");
const stream = methodOf("goldmane.proto", "goldmane.Flows", "Stream");

export type GoldmaneFlow = {
  readonly Key: Readonly<Record<string, unknown>>;
  /** Seconds since the epoch. */
  readonly start_time: string;
} & Readonly<Record<string, unknown>>;

export type StreamRequest = {
  readonly start_time_gte?: string;
  readonly filter?: { readonly actions?: readonly string[] };
};

/** A Goldmane that remembers an hour, and sends again the windows that a stream begins with (facts: denied-flows §2). */
export type GoldmaneServer = {
  readonly port: number;
  readonly address: string;
  readonly requests: readonly StreamRequest[];
  open(): number;
  saw(...flows: GoldmaneFlow[]): void;
  kill(): void;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function startGoldmane(
  options: { readonly tls?: ServerTls; readonly port?: number; readonly history?: readonly GoldmaneFlow[] } = {},
): Promise<GoldmaneServer> {
  const history = [...(options.history ?? [])];
  const requests: StreamRequest[] = [];
  const streams = new Map<Stream, StreamRequest>();
  let ids = 0;
  const send = (to: Stream, { filter }: StreamRequest, flow: GoldmaneFlow) => {
    ids += 1;
    if (filter?.actions?.includes(String(flow.Key["action"]))) to.write({ id: String(ids), flow });
  };
  const handle = (to: Stream) => {
    const request = to.request as StreamRequest;
    requests.push(request);
    streams.set(to, request);
    to.on("cancelled", () => streams.delete(to));
    to.on("error", () => streams.delete(to));
    const since = Number(request.start_time_gte ?? 0);
    if (since > 0) for (const flow of history) if (Number(flow.start_time) >= since) send(to, request, flow);
  };
  const unary = { method: list, answer: () => ({}) };
  const { port, server } = await startGrpcServer({ stream: { method: stream, handle }, unary }, options);
  return {
    port,
    address: `127.0.0.1:${port}`,
    requests,
    open: () => streams.size,
    saw(...flows) {
      history.push(...flows);
      for (const [to, request] of streams) for (const flow of flows) send(to, request, flow);
    },
    kill: () => server.forceShutdown(),
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

/** 42 connections from shop/web to db/pg:5432 that the reporter denies, in the window of 15 s that `ms` is in. */
export function deniedWindow(ms: number, key: object = {}): GoldmaneFlow {
  const start = Math.floor(ms / 15_000) * 15;
  const denies = { kind: "EndOfTier", tier: "default", action: "Deny", rule_index: "-1" };
  return {
    Key: {
      source_name: "web-645b68dcf7-*",
      source_namespace: "shop",
      source_type: "WorkloadEndpoint",
      dest_name: "pg-*",
      dest_namespace: "db",
      dest_type: "WorkloadEndpoint",
      dest_port: "5432",
      proto: "tcp",
      reporter: "Dst",
      action: "Deny",
      policies: { enforced_policies: [denies], pending_policies: [denies] },
      ...key,
    },
    start_time: String(start),
    end_time: String(start + 15),
    packets_in: "42",
    num_connections_started: "42",
  };
}
