import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { followGoldmane } from "../../src/flows/goldmane-stream.ts";
import type { GrpcSourceOptions } from "../../src/flows/grpc-source.ts";
import { createInterests } from "../../src/flows/interests.ts";
import { waitFor } from "../wait.ts";
import { createAuthority } from "./authority.ts";
import { deniedWindow, startGoldmane } from "./goldmane-server.ts";
import { keepingSink } from "./sinks.ts";

function followed(address: string, more: Partial<GrpcSourceOptions> = {}) {
  const sink = keepingSink();
  const interests = createInterests();
  const source = followGoldmane({
    name: "goldmane",
    cluster: "c",
    address,
    tls: undefined,
    sink,
    interests,
    now: Date.now,
    longestPauseMs: 50,
    ...more,
  });
  const ports = () => sink.records().map(({ toPort }) => toPort);
  return { sink, interests, source, ports, [Symbol.asyncDispose]: () => source.stop() };
}

test("By mTLS, with a certificate of its authority, what is denied comes and what is allowed does not", async () => {
  const authority = createAuthority("Tigera CA");
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-goldmane-"));
  const { cert, key } = authority.issue("bulkhead");
  const tls = { caFile: `${folder}/ca`, certFile: `${folder}/cert`, keyFile: `${folder}/key`, serverName: "goldmane" };
  await Promise.all([writeFile(tls.caFile, authority.ca), writeFile(tls.certFile, cert), writeFile(tls.keyFile, key)]);
  await using goldmane = await startGoldmane({ tls: { ...authority.issue("goldmane"), clients: authority.ca } });
  await using bot = followed(goldmane.address, { tls });
  await waitFor(() => goldmane.open() === 1);
  const now = Date.now();
  goldmane.saw(deniedWindow(now, { action: "Allow" }), deniedWindow(now));
  await waitFor(() => bot.sink.records().length === 1);
  expect(bot.sink.records()[0]).toMatchObject({
    format: "goldmane",
    verdict: { kind: "denied", reason: "no-rule" },
    count: 42,
    unit: "connections",
    direction: "ingress",
  });
  expect(goldmane.requests).toMatchObject([{ filter: { actions: ["Deny"] } }]);
  expect(bot.source.state()).toMatchObject({ kind: "goldmane", state: "connected", formats: ["goldmane"] });
  await rm(folder, { recursive: true });
});

test("After a break windows at the edge come again, and count once, by key, window and reporter", async () => {
  const now = Date.now();
  const goldmane = await startGoldmane();
  await using bot = followed(goldmane.address, { sinceMs: now - 60_000 });
  await waitFor(() => goldmane.open() === 1);
  const before = [1, 2, 3].map((port) => deniedWindow(now - 30_000, { dest_port: String(port) }));
  goldmane.saw(...before);
  await waitFor(() => bot.ports().length === 3);
  goldmane.kill();
  await waitFor(() => bot.source.state().state === "failing");
  const meanwhile = [
    deniedWindow(now - 30_000, { dest_port: "4" }),
    deniedWindow(now - 15_000, { dest_port: "1" }),
    deniedWindow(now - 30_000, { dest_port: "1", reporter: "Src" }),
  ];
  await using again = await startGoldmane({ port: goldmane.port, history: [...before, ...meanwhile] });
  await waitFor(() => bot.ports().length === 6);
  again.saw(deniedWindow(now, { dest_port: "5" }));
  await waitFor(() => bot.ports().includes(5));
  expect(bot.ports()).toEqual([1, 2, 3, 4, 1, 1, 5]);
  expect(bot.sink.lost()).toBe(0);
});

test("What was before the hour that it remembers is said to be lost, by the minute", async () => {
  const goldmane = await startGoldmane();
  let nowMs = Date.now();
  await using bot = followed(goldmane.address, { now: () => nowMs });
  await waitFor(() => goldmane.open() === 1);
  goldmane.kill();
  await waitFor(() => bot.source.state().state === "failing");
  nowMs += 65 * 60_000;
  await using again = await startGoldmane({ port: goldmane.port });
  await waitFor(() => bot.sink.lost() === 5);
  await waitFor(() => again.requests.length === 1);
});

test("Allowed flows come of what pods of interest may be in, for as long as there are any", async () => {
  await using goldmane = await startGoldmane();
  await using bot = followed(goldmane.address);
  await waitFor(() => goldmane.open() === 1);
  bot.interests.set([{ cluster: "c", namespace: "db", pod: "pg-0" }]);
  await waitFor(() => goldmane.requests.length === 2);
  const now = Date.now();
  const allowed = (key: object) => deniedWindow(now, { action: "Allow", policies: undefined, ...key });
  goldmane.saw(
    allowed({ dest_port: "1" }),
    allowed({ dest_port: "2", dest_namespace: "other" }),
    allowed({ dest_port: "3", dest_name: "mysql-*" }),
    deniedWindow(now, { dest_port: "4" }),
  );
  await waitFor(() => bot.ports().length === 2);
  const kinds = new Map(bot.sink.records().map(({ toPort, verdict }) => [toPort, verdict.kind]));
  expect([kinds.get(1), kinds.get(4)]).toEqual(["forwarded", "denied"]);
  bot.interests.set([]);
  await waitFor(() => goldmane.requests.length === 3);
  expect(goldmane.requests[2]).toMatchObject({ filter: { actions: ["Deny"] } });
});

test("Numbers of enums that nobody knows yet are read for what else they say", async () => {
  await using goldmane = await startGoldmane();
  await using bot = followed(goldmane.address);
  await waitFor(() => goldmane.open() === 1);
  goldmane.saw(
    deniedWindow(Date.now(), {
      source_type: 9,
      reporter: 7,
      policies: { enforced_policies: [{ kind: 99, action: "Deny" }] },
    }),
  );
  await waitFor(() => bot.sink.records().length === 1);
  expect(bot.sink.records()[0]).toMatchObject({ verdict: { kind: "denied" }, direction: undefined, toPort: 5_432 });
});
