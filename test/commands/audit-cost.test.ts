import { afterAll, beforeAll, expect, test } from "vitest";
import { startDesk, type TestDesk } from "./desk.ts";

let desk: TestDesk;

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } });
});
afterAll(() => desk.close());

function aPod(name: string): string {
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "payments",
      labels: {
        app: "checkout",
        "app.kubernetes.io/name": "checkout",
        "app.kubernetes.io/part-of": "shop",
        tier: "web",
      },
    },
    spec: { containers: [{ name: "main", image: "registry.example.com/shop/checkout:1.2.3" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  return name;
}

test("A quarantine with its release takes less of Redis's memory in the audit chain than README says (16 KiB)", async () => {
  const operations = 25;
  const before = await desk.services.audit.health();
  for (let number = 0; number < operations; number += 1) {
    const { operation } = await desk.type(
      `quarantine payments/${aPod(`checkout-7d9f-${number}`)} odd outbound traffic`,
    );
    await desk.press("confirm", operation);
    const release = await desk.type(`release ${operation}`);
    await desk.press("confirm", release.operation);
  }
  const after = await desk.services.audit.health();
  const entries = after.entries - before.entries;
  const bytes = after.bytes - before.bytes;
  process.stdout.write(
    `${entries} entries of ${operations} quarantines with release: ${bytes} bytes, ${Math.round(bytes / entries)} an entry\n`,
  );
  expect(entries).toBe(4 * operations);
  expect(bytes / operations).toBeLessThan(16 * 1024);
});
