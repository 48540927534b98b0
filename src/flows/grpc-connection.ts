import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import {
  type ChannelCredentials,
  Client,
  type ClientReadableStream,
  credentials,
  type MethodDefinition,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { type FlowTls, readTls } from "./flow-tls.ts";

/** Of a service in proto/: its messages are objects as proto-loader makes them, see `form`. */
export type GrpcMethod = MethodDefinition<object, object>;

export type GrpcConnection = {
  stream(method: GrpcMethod, request: object): ClientReadableStream<object>;
  /** Rejects with gRPC's error, also after `withinMs`. */
  call(method: GrpcMethod, request: object, withinMs: number): Promise<object>;
  /** Ends what is under way on it as well. */
  close(): void;
};

/**
 * The facts' shape of messages (denied-flows §6): names as in the proto, 64 bit as text, enums by name and unknown ones by
 * number, absent fields absent.
 */
const form = { keepCase: true, longs: String, enums: String, defaults: false, oneofs: true } as const;

/** A method of a service, e.g. `methodOf("observer.proto", "observer.Observer", "GetFlows")`. Throws where there is none. */
export function methodOf(file: string, service: string, name: string): GrpcMethod {
  const definition = loadSync(fileURLToPath(new URL(`proto/${file}`, import.meta.url)), form)[service];
  if (definition === undefined || "format" in definition) throw new Error(`${file} has no service ${service}`);
  const method = definition[name];
  if (method === undefined) throw new Error(`${service} has no method ${name}`);
  return method;
}

/**
 * Opens nothing yet: the first call does, and fails where it cannot. Each has a channel of its own, so that it has the
 * certificates that are on disk now. Throws what readTls throws, and OpenSSL's error where the files hold none.
 */
export async function connectGrpc(address: string, tls: FlowTls | undefined): Promise<GrpcConnection> {
  const client = new Client(address, await credentialsOf(tls), {
    ...options,
    ...(tls?.serverName === undefined ? {} : { "grpc.ssl_target_name_override": tls.serverName }),
  });
  const underWay = new Set<{ cancel(): void }>();
  return {
    stream({ path, requestSerialize, responseDeserialize }, request) {
      const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
      underWay.add(stream);
      stream.once("close", () => underWay.delete(stream));
      return stream;
    },
    call({ path, requestSerialize, responseDeserialize }, request, withinMs) {
      const { promise, resolve, reject } = Promise.withResolvers<object>();
      const deadline = { deadline: new Date(Date.now() + withinMs) };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, deadline, (error, answer) =>
        error === null && answer !== undefined ? resolve(answer) : reject(error),
      );
      return promise;
    },
    close() {
      for (const stream of underWay) stream.cancel();
      client.close();
    },
  };
}

/**
 * No HTTPS_PROXY: these servers are in the cluster, and a company's proxy is not. No pings: Go's servers end a connection
 * that is pinged more often than every five minutes (grpc-go, keepalive.EnforcementPolicy), so a call is made instead.
 */
const options = { "grpc.enable_http_proxy": 0, "grpc.use_local_subchannel_pool": 1, "grpc.enable_retries": 0 };

async function credentialsOf(tls: FlowTls | undefined): Promise<ChannelCredentials> {
  if (tls === undefined) return credentials.createInsecure();
  return credentials.createFromSecureContext(createSecureContext(await readTls(tls)));
}
