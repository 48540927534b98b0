import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Principal } from "../../src/policy/principal.ts";
import { bob, startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

/** May release in shop, and there is nothing. */
const carol: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U3", displayName: "carol" };

let desk: TestDesk;
let pod: string;
let id: string;
let count = 0;

beforeAll(async () => {
  desk = await startDesk();
  const { access } = desk.services.settings;
  const shop = { principals: ["slack:T1/U3"], verbs: ["*"], namespaces: ["shop"] } as const;
  Object.assign(access, { rules: [...access.rules, shop] });
  desk.sandbox.apply(
    ...["payments", "shop"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
  );
});

afterAll(() => desk.close());

/** A quarantine in force, of which Redis holds nothing any more. */
beforeEach(async () => {
  pod = `checkout-${++count}`;
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod, namespace: "payments", labels: { app: "checkout" } },
    spec: { containers: [{ name: "main", image: "x" }] },
  });
  id = (await desk.type(`quarantine payments/${pod}`)).operation ?? "";
  expect(await desk.press("confirm", id)).toMatchObject({ outcome: "ok" });
  await desk.redis.flushdb();
});

const policy = () => stored(desk.sandbox, "NetworkPolicy", `bulkhead-${id}`);

describe("A quarantine of which Redis was emptied", () => {
  test.each<[string, () => string]>([
    ["by its id", () => id],
    ["by the beginning of its id", () => id.slice(0, 7)],
    ["by its pod", () => `payments/${pod}`],
    ["as a dry run", () => `payments/${pod} --dry-run`],
  ])("is not released %s: the answer is the kubectl lines, and that the record is lost", async (_how, what) => {
    const reply = await desk.type(`release ${what()}`);
    expect(reply).toMatchObject({ outcome: "refused", buttons: [] });
    expect(wordsIn(reply)).toMatch(/Bulkhead's own record of it is lost/);
    expect(reply.sections.find(({ kind }) => kind === "code")).toMatchObject({
      text: [
        `kubectl label pod ${pod} -n payments --overwrite app=checkout`,
        "sleep 2",
        `kubectl label pod ${pod} -n payments bulkhead.dev/quarantine-`,
        `kubectl delete networkpolicy bulkhead-${id} -n payments`,
      ].join("\n"),
    });
    expect(policy()).toBeDefined();
    expect((await desk.services.audit.read({ limit: 1 }))[0]).toMatchObject({ kind: "refusal", verb: "release" });
  });

  test("is not there for who may not release it", async () => {
    for (const person of [bob, carol]) {
      for (const [there, not] of [
        [`release ${id}`, "release q-zzzzzzz"],
        [`release payments/${pod}`, "release payments/nobody-1"],
      ] as const) {
        const [one, other] = [await desk.type(there, person), await desk.type(not, person)];
        expect(wordsIn(one).replaceAll(id, "X").replaceAll(pod, "P")).toBe(
          wordsIn(other).replaceAll("q-zzzzzzz", "X").replaceAll("nobody-1", "P"),
        );
      }
    }
  });

  test("keeps its pod from being quarantined again, and the refusal names the way out", async () => {
    const again = await desk.type(`quarantine payments/${pod}`);
    expect(again.outcome).toBe("refused");
    expect(wordsIn(again)).toContain(`/np release payments/${pod}`);
    expect(wordsIn(again)).toContain("kubectl lines");
  });
});

test("What neither Redis nor the cluster knows is answered as before", async () => {
  expect(wordsIn(await desk.type("release q-zzzzzzz"))).toMatch(/There is no operation q-zzzzzzz/);
  expect(wordsIn(await desk.type("release payments/nobody-1"))).toMatch(/No quarantine of payments\/nobody-1 is known/);
});
