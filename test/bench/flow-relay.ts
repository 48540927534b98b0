import { setImmediate as turn } from "node:timers/promises";
import { methodOf } from "../../src/flows/grpc-connection.ts";
import { type Stream, startGrpcServer } from "../flows/grpc-server.ts";
import { denied } from "../flows/hubble-flows.ts";

/** A Hubble relay in a process of its own: tells its port, then sends denied flows, encoded before, as fast as they are taken. */
const stream = methodOf("observer.proto", "observer.Observer", "GetFlows");
const alive = methodOf("observer.proto", "observer.Observer", "ServerStatus");
const placeholder = "ffffffffffff";

const flow = denied(Date.now(), { uuid: `00000000-0000-4000-8000-${placeholder}` });
const frame = Buffer.from(stream.responseSerialize({ flow, node_name: "node-1" }));
const at = frame.indexOf(placeholder);
let sent = 0;

const { port } = await startGrpcServer({
  stream: { method: stream, handle: (call) => void send(call) },
  unary: { method: alive, answer: () => ({ max_flows: "65535", seen_flows: "1" }) },
});
process.stdout.write(`${port}\n`);
process.stdin.resume().on("end", () => process.exit(0));

async function send(call: Stream): Promise<void> {
  while (!call.cancelled && !call.destroyed) {
    for (let some = 0; some < 256 && !call.writableNeedDrain; some += 1) {
      const bytes = Buffer.from(frame);
      bytes.write((sent += 1).toString(16).padStart(12, "0"), at, "latin1");
      call.write(bytes);
    }
    await turn();
  }
}
