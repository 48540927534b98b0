import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import type { GrpcMethod } from "../../src/flows/grpc-connection.ts";
import type { Issued } from "./authority.ts";

/** Undefined: plaintext. `clients`: the authority that clients' certificates must be of, as PEM. */
export type ServerTls = Issued & { readonly clients?: string };

export type Stream = ServerWritableStream<object, object>;

export type Handlers = {
  readonly stream: { readonly method: GrpcMethod; readonly handle: (stream: Stream) => void };
  readonly unary: { readonly method: GrpcMethod; readonly answer: () => object };
};

/** A server of the real gRPC library on loopback. `port` 0 takes a free one. Frames that are Buffers go as they are. */
export async function startGrpcServer(
  { stream, unary }: Handlers,
  { tls, port = 0 }: { tls?: ServerTls | undefined; port?: number } = {},
): Promise<{ readonly port: number; readonly server: Server }> {
  const server = new Server();
  const asItIs = ({ responseSerialize, ...method }: GrpcMethod): GrpcMethod => ({
    ...method,
    responseSerialize: (value) => (Buffer.isBuffer(value) ? value : responseSerialize(value)),
  });
  server.addService(
    { stream: asItIs(stream.method), unary: unary.method },
    {
      stream: (call: Stream) => stream.handle(call),
      unary: (_call: ServerUnaryCall<object, object>, done: sendUnaryData<object>) => done(null, unary.answer()),
    },
  );
  const bound = Promise.withResolvers<number>();
  server.bindAsync(`127.0.0.1:${port}`, credentialsOf(tls), (error, at) =>
    error === null ? bound.resolve(at) : bound.reject(error),
  );
  return { port: await bound.promise, server };
}

function credentialsOf(tls: ServerTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, clients } = tls;
  const pair = [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }];
  return ServerCredentials.createSsl(clients === undefined ? null : Buffer.from(clients), pair, clients !== undefined);
}
