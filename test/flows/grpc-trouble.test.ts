import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FlowTls } from "../../src/flows/flow-tls.ts";
import { followGoldmane } from "../../src/flows/goldmane-stream.ts";
import { followHubbleRelay } from "../../src/flows/hubble-relay.ts";
import { createInterests } from "../../src/flows/interests.ts";
import { waitFor } from "../wait.ts";
import { type Authority, createAuthority, type Issued } from "./authority.ts";
import type { ServerTls } from "./grpc-server.ts";
import { denied } from "./hubble-flows.ts";
import { startRelay } from "./relay-server.ts";
import { keepingSink } from "./sinks.ts";

const serverName = "ui.hubble-relay.cilium.io";
let folder: string;
let authority: Authority;
let stranger: Authority;
let server: Issued;
let client: Issued;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-grpc-"));
  authority = createAuthority("Cilium CA");
  stranger = createAuthority("Another CA");
  server = authority.issue(serverName);
  client = authority.issue("bulkhead");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function file(content: string): Promise<string> {
  files += 1;
  const path = join(folder, `${files}.pem`);
  await writeFile(path, content);
  return path;
}

async function tlsOf({
  ca = authority.ca,
  issued = undefined as Issued | undefined,
  name = serverName,
}): Promise<FlowTls> {
  const pair = issued && { certFile: await file(issued.cert), keyFile: await file(issued.key) };
  return { caFile: await file(ca), serverName: name, ...pair };
}

function follow(address: string, tls: FlowTls | undefined, follower: typeof followHubbleRelay = followHubbleRelay) {
  const sink = keepingSink();
  const source = follower({
    name: "hubble",
    cluster: "c",
    address,
    tls,
    sink,
    interests: createInterests(),
    now: Date.now,
    longestPauseMs: 50,
    aliveEveryMs: 50,
    aliveWithinMs: 1_000,
  });
  return { source, sink, [Symbol.asyncDispose]: () => source.stop() };
}

/** Why it fails, in its words. */
async function whyOf(address: string, tls: FlowTls | undefined, follower?: typeof followHubbleRelay): Promise<string> {
  await using bot = follow(address, tls, follower);
  await waitFor(() => bot.source.state().state === "failing");
  const { why = "" } = bot.source.state();
  expect(why).not.toMatch(/PRIVATE KEY|[^\x20-\x7e]/);
  return why;
}

async function whyWith(of: ServerTls, tls: FlowTls | undefined): Promise<string> {
  await using relay = await startRelay({ tls: of });
  return await whyOf(relay.address, tls);
}

test("TLS and mTLS, with the name that the certificate bears", async () => {
  for (const clients of [undefined, authority.ca]) {
    await using relay = await startRelay({ tls: { ...server, ...(clients && { clients }) } });
    await using bot = follow(relay.address, await tlsOf({ issued: clients === undefined ? undefined : client }));
    await waitFor(() => relay.open() === 1);
    relay.saw(denied(Date.now()));
    await waitFor(() => bot.sink.records().length === 1);
  }
});

test("What is wrong with a certificate is said in words", async () => {
  const plain = await tlsOf({});
  const expired = authority.issue(serverName, { from: -10, to: -1 });
  expect(await whyWith(expired, plain)).toContain("has expired");
  expect(await whyWith(authority.issue(serverName, { from: 2 }), plain)).toContain("not valid yet");
  expect(await whyWith(stranger.issue(serverName), plain)).toContain("unknown authority");
  expect(await whyWith(server, await tlsOf({ name: "elsewhere.test" }))).toContain("set tls.serverName");
});

test("What a server dislikes of the client's certificate is said in words", async () => {
  const mutual = { ...server, clients: authority.ca };
  expect(await whyWith(mutual, await tlsOf({}))).toContain("asks for a client certificate");
  expect(await whyWith(mutual, await tlsOf({ issued: stranger.issue("bulkhead") }))).toContain("does not trust");
  const expired = authority.issue("bulkhead", { from: -10, to: -1 });
  expect(await whyWith(mutual, await tlsOf({ issued: expired }))).toMatch(/has expired|does not trust/);
});

test("Files that are missing, hold nothing, or do not belong together", async () => {
  const missing = { caFile: join(folder, "nothing.pem") };
  expect(await whyOf("127.0.0.1:1", missing)).toBe(`${missing.caFile} cannot be read (ENOENT)`);
  const empty = await tlsOf({ issued: { cert: "nothing", key: client.key } });
  expect(await whyOf("127.0.0.1:1", empty)).toContain("no PEM that can be read");
  const mixed = await tlsOf({ issued: { cert: client.cert, key: server.key } });
  expect(await whyOf("127.0.0.1:1", mixed)).toContain("not the key of tls.certFile");
});

test("Nobody there, no such name, TLS where there is none, none where there is, and something else altogether", async () => {
  expect(await whyOf("127.0.0.1:1", undefined)).toContain("was refused");
  expect(await whyOf("nobody.invalid:80", undefined)).toContain("not known to DNS");
  await using relay = await startRelay();
  expect(await whyOf(relay.address, await tlsOf({}))).toContain("speaks no TLS");
  expect(await whyOf(relay.address, undefined, followGoldmane)).toContain("is no Goldmane");
  expect(await whyWith(server, undefined)).toContain("wants TLS");
  await using web = await listen(createServer((_request, response) => response.end("hello")));
  expect(await whyOf(web.address, undefined)).toMatch(/wants TLS|no Hubble relay/);
});

test("A server that takes connections and says nothing is given up", async () => {
  await using silent = await listen(createTcpServer(() => undefined));
  expect(await whyOf(silent.address, undefined)).toContain("does not answer");
});

test("Certificates that are renewed on disk are used at the next connection", async () => {
  const tls = await tlsOf({ issued: client });
  const relay = await startRelay({ tls: { ...server, clients: authority.ca } });
  await using bot = follow(relay.address, tls);
  await waitFor(() => relay.open() === 1);
  relay.kill();
  const renewed = stranger.issue("bulkhead");
  await Promise.all([
    writeFile(tls.caFile ?? "", stranger.ca),
    writeFile(tls.certFile ?? "", renewed.cert),
    writeFile(tls.keyFile ?? "", renewed.key),
  ]);
  await using again = await startRelay({
    port: relay.port,
    tls: { ...stranger.issue(serverName), clients: stranger.ca },
  });
  await waitFor(() => again.open() === 1);
  again.saw(denied(Date.now()));
  await waitFor(() => bot.sink.records().length === 1);
});

test("A connection that is half open is noticed, and left", async () => {
  await using relay = await startRelay();
  await using path = await breakablePath(relay.port);
  await using bot = follow(path.address, undefined);
  await waitFor(() => relay.open() === 1);
  relay.saw(denied(Date.now()));
  await waitFor(() => bot.sink.records().length === 1);
  path.breakOff();
  relay.saw(denied(Date.now()));
  await waitFor(() => bot.sink.records().length === 2, { timeoutMs: 10_000 });
  expect(bot.sink.lost()).toBe(0);
});

type Place = { readonly address: string; [Symbol.asyncDispose](): Promise<void> };

async function listen(one: HttpServer | ReturnType<typeof createTcpServer>): Promise<Place> {
  const sockets = new Set<{ destroy(): void }>();
  one.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => void one.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(one.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      one.close();
    },
  };
}

/** Passes bytes on to a port, until those connections fall silent; later ones are passed on. */
async function breakablePath(port: number): Promise<Place & { breakOff(): void }> {
  const pairs: (() => void)[] = [];
  const place = await listen(
    createTcpServer((near) => {
      const far = connect(port, "127.0.0.1");
      far.on("error", () => undefined);
      near.pipe(far);
      far.pipe(near);
      pairs.push(() => {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      });
    }),
  );
  return { ...place, breakOff: () => pairs.splice(0).forEach((silence) => silence()) };
}
