import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readCopies } from "../src/audit/copies.ts";
import { type ChainStore, createAuditLog } from "../src/audit/log.ts";
import { keepAudit } from "../src/bot-audit.ts";
import { createOperations } from "../src/scheduler/operations.ts";
import { startDesk, stored, type TestDesk, wordsIn } from "./commands/desk.ts";

const day = 86_400_000;
let folder: string;
let desk: TestDesk;
let audit: ChainStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-keep-"));
  desk = await startDesk();
  audit = createAuditLog(desk.redis, { onEntry: () => undefined });
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace: "payments" },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
    ...["checkout-1", "checkout-2"].map((name) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "payments", labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
    })),
  );
});

afterAll(async () => {
  await desk.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => desk.sandbox.faults.clear());

/** A quarantine whose policy and label are written and whose last patch is refused. */
async function failedQuarantine(pod: string): Promise<string> {
  const { operation = "" } = await desk.type(`quarantine payments/${pod}`);
  desk.sandbox.faults.inject({ method: "PATCH", path: /pods/, skip: 1 }, { type: "status", code: 403 });
  expect(await desk.press("confirm", operation)).toMatchObject({ outcome: "failed" });
  expect(await desk.services.operations.get(operation)).toMatchObject({ state: "failed" });
  expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${operation}`)).toBeDefined();
  desk.sandbox.faults.clear();
  return operation;
}

/** Everything is exported, and so old that it may go. */
async function keepNothingOld(): Promise<void> {
  const lines: string[] = [];
  const { base } = await audit.bounds();
  if (base.seq > 0) lines.push(JSON.stringify({ base }));
  for await (const entry of audit.all()) lines.push(JSON.stringify(entry));
  const stamp = { at: new Date().toISOString(), replica: "test" };
  await audit.confirm(await readCopies([`${lines.join("\n")}\n`]), { stamp, actor: { kind: "in-pod" } });
  const config = { spool: { folder, maxBytes: 1_000_000 }, audit: { keepMs: -day, limits: {} } };
  await keepAudit({ audit, operations: createOperations(desk.redis, desk.services) }, config, "test");
}

test("What a release needs of a quarantine that failed stays until it is released, however old it is", async () => {
  const operation = await failedQuarantine("checkout-1");
  desk.pass(1_000 * day);
  const { operation: other = "" } = await desk.type("quarantine payments/checkout-2");
  await desk.press("cancel", other);
  await keepNothingOld();
  expect(await audit.find(`${operation}:intent`)).toBeDefined();
  expect(wordsIn(await desk.type("status"))).toMatch(new RegExp(`${operation}: .*failed, may have left objects`));

  const release = await desk.type(`release ${operation}`);
  expect(release.outcome).toBe("needs-confirmation");
  expect(await desk.press("confirm", release.operation)).toMatchObject({ outcome: "ok" });
  expect(stored(desk.sandbox, "Pod", "checkout-1")?.metadata.labels).toEqual({ app: "checkout" });
  expect(wordsIn(await desk.type("status"))).not.toContain("may have left objects");
  await keepNothingOld();
  expect(await audit.find(`${operation}:intent`)).toBeUndefined();
  expect(wordsIn(await desk.type("status"))).toMatch(
    /the audit chain has (\d+) entries \(Redis holds the newest \d+\), head/,
  );
});

test("What a newer replica wrote is live too, though it cannot be read here", async () => {
  const { operation = "" } = await desk.type("quarantine payments/checkout-2");
  await desk.press("confirm", operation);
  const key = `{bulkhead}:operation:${operation}`;
  const json = (await desk.redis.hget(key, "json")) ?? "";
  await desk.redis.hset(key, "json", JSON.stringify({ ...JSON.parse(json), version: 5 }));
  await keepNothingOld();
  expect(await audit.find(`${operation}:intent`)).toBeDefined();
  const said = wordsIn(await desk.type("status"));
  expect(said).toContain("1 that Redis holds cannot be read by this version of Bulkhead");
  expect(said).not.toContain("none is open");
});
