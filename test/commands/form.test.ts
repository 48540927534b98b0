import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Asked, FormFields } from "../../src/commands/form.ts";
import { parse } from "../../src/commands/parse.ts";
import { podValue, type QuarantineForm, quarantineText } from "../../src/commands/quarantine-form.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { bob, startDesk, type TestDesk } from "./desk.ts";

const alice: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" };
const guest: Principal = { ...alice, user: "U9" };
const long = (end: string): string => `${"worker-of-the-very-long-batch-".repeat(6)}${end}`;

const namespaces = ["payments", "shop", "bulkhead", "hidden"].map((name) => {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
});
const pods = ["checkout-7d9f", "old-checkout-1", "ledger"].map((name) => {
  const spec = { containers: [{ name: "main", image: "x" }] };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "payments" }, spec };
});

const secret = { ...pods[0], metadata: { name: "checkout-secret", namespace: "hidden" } };

let desk: TestDesk;
beforeAll(async () => {
  desk = await startDesk({ cluster: { objects: [...namespaces, ...pods, secret] } });
});
afterAll(() => desk.close());

const who = async (): Promise<Principal> => alice;

const sent = (pod: string) => {
  const fields: FormFields = { namespace: "payments", pod };
  return { kind: "quarantine", command: undefined, fields } as const;
};

const form: QuarantineForm = {
  cluster: undefined,
  namespace: "payments",
  pod: "checkout-7d9f",
  review: "",
  reason: "",
  dryRun: false,
};

describe("A form is the command that one could have typed", () => {
  test.each([
    [{}, "quarantine payments/checkout-7d9f"],
    [{ dryRun: true }, "quarantine --dry-run payments/checkout-7d9f"],
    [{ review: "2h" }, 'quarantine payments/checkout-7d9f review "2h"'],
    [{ cluster: "prod-eu", dryRun: true }, "quarantine --dry-run prod-eu:payments/checkout-7d9f"],
    [{ reason: "odd traffic" }, 'quarantine payments/checkout-7d9f "odd traffic"'],
    [{ reason: " two\nlines " }, 'quarantine payments/checkout-7d9f "two lines"'],
  ] as const)("%o", async (filled, text) => {
    expect(await quarantineText(desk.services, { ...form, ...filled }, who)).toBe(text);
  });

  test("Whatever is written into its fields means nothing but what the field is for", async () => {
    const nasty = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.constantFrom(
        "--dry-run",
        "--incident INC-1",
        "review 2h",
        "review",
        '" --dry-run "',
        "“x” --dry-run",
        "—dry-run",
      ),
    );
    await fc.assert(
      fc.asyncProperty(nasty, nasty, fc.boolean(), async (reason, review, dryRun) => {
        const text = await quarantineText(desk.services, { ...form, reason, review, dryRun }, who);
        if (typeof text !== "string") return;
        const command = parse(text);
        if (command.kind !== "quarantine") throw new Error(text);
        expect(command).toMatchObject({ namespace: "payments", pod: "checkout-7d9f", dryRun, incident: undefined });
        expect(command.reviewMs !== undefined).toBe(review.replaceAll(/[\p{Cf}\p{Cc}]/gu, "").trim() !== "");
      }),
    );
  });

  test.each([
    [{ namespace: "Not a name" }, "namespace", "Choose a namespace"],
    [{ namespace: "" }, "namespace", "Choose a namespace"],
    [{ pod: "UPPER" }, "pod", "is not of the form"],
    [{ review: "soon" }, "review", "needs a time such as 2h"],
    [{ reason: "--dry-run" }, "reason", "Begin the reason with another word"],
    [{ reason: "x".repeat(501) }, "reason", "longer than 500"],
    [{ pod: "worker~0123456789abcdef01234567" }, "pod", "not there any more"],
  ] as const)("%o is said under its field", async (filled, field, why) => {
    const problems = await quarantineText(desk.services, { ...form, ...filled }, who);
    expect(problems).toEqual({ [field]: expect.stringContaining(why) });
  });
});

describe("What a form offers", () => {
  type Typed = Partial<Pick<Asked, "principal" | "field" | "typed"> & { cluster: string; namespace: string }>;
  const asking = ({ cluster = "", namespace = "", ...asked }: Typed): Asked => ({
    kind: "quarantine",
    command: undefined,
    principal: alice,
    field: "namespace",
    typed: "",
    ...asked,
    fields: { cluster, namespace },
  });
  const ask = (asked: Typed): Promise<readonly { value: string }[]> => desk.desk.suggest(asking(asked));
  const values = async (asked: Typed): Promise<string[]> => (await ask(asked)).map(({ value }) => value);

  test("Namespaces where the person may quarantine, without those that nobody may", async () => {
    expect(await values({})).toEqual(["payments", "shop"]);
    expect(await values({ typed: "pay" })).toEqual(["payments"]);
  });

  test("Pods of such a namespace, those first that begin with what was typed", async () => {
    const found = await values({ field: "pod", namespace: "payments", typed: " Checkout" });
    expect(found).toEqual(["checkout-7d9f", "old-checkout-1"]);
    expect(await values({ field: "pod", namespace: "payments", typed: "nothing-like-it" })).toEqual([]);
    expect(await values({ field: "pod" })).toEqual([]);
    expect(await values({ field: "pod", namespace: "hidden" })).toEqual([]);
  });

  test.each([bob, guest, { kind: "in-pod" } as const])("Nothing for who may not quarantine: %o", async (principal) => {
    for (const field of ["cluster", "namespace", "pod"] as const) {
      expect(await values({ principal, field, namespace: "payments", cluster: "sandbox" })).toEqual([]);
    }
  });

  test("Nothing of a cluster that is not configured, and clusters by name", async () => {
    expect(await values({ cluster: "elsewhere" })).toEqual([]);
    expect(await values({ field: "cluster" })).toEqual(["sandbox"]);
  });

  test("A cluster that does not answer offers nothing and is metered", async () => {
    const { cluster, enforcement } = desk.services.clusters.get("sandbox")!;
    const silent = { ...cluster, namespaces: () => Promise.reject(new Error("away")) };
    const clusters = new Map([["sandbox", { cluster: silent, enforcement }]]);
    const other = await startDesk({ services: { clusters } });
    expect(await other.desk.suggest(asking({}))).toEqual([]);
    expect(other.events).toContainEqual(expect.objectContaining({ kind: "error", where: "suggest" }));
    await other.close();
  });

  test("Long names are shortened and still mean one pod, for who may quarantine it (invariant 7)", async () => {
    const names = ["aaaa", "bbbb"].map(long);
    const { cluster, enforcement } = desk.services.clusters.get("sandbox")!;
    const [pod] = (await cluster.facts("payments", "fresh")).pods;
    const pods = names.map((name) => ({ ...pod!, name, uid: `uid of ${name}` }));
    const many = Array.from({ length: 200 }, (_, at) => ({ ...pod!, name: `many-${at}`, uid: `${at}` }));
    let looked = 0;
    const crowded = {
      ...cluster,
      facts: async () => {
        looked += 1;
        return { ...(await cluster.facts("payments", "fresh")), pods: [...pods, ...many] };
      },
    };
    const other = await startDesk({
      services: { clusters: new Map([["sandbox", { cluster: crowded, enforcement }]]) },
    });
    const asked = { field: "pod", namespace: "payments" };
    const offered = await other.desk.suggest(asking({ ...asked, typed: "worker" }));
    expect(offered).toHaveLength(2);
    for (const { label, value } of offered) {
      expect(label.length).toBeLessThanOrEqual(75);
      expect(value.length).toBeLessThanOrEqual(75);
    }
    expect(offered.map(({ label }) => label.slice(-4))).toEqual(["aaaa", "bbbb"]);
    expect(new Set(offered.map(({ value }) => value)).size).toBe(2);
    const texts = await Promise.all(offered.map(({ value }) => other.desk.formText(sent(value), who)));
    expect(texts).toEqual(names.map((name) => `quarantine payments/${name}`));
    for (const sender of [guest, undefined]) {
      looked = 0;
      const answer = await other.desk.formText(sent(offered[0]!.value), async () => sender);
      expect([answer, looked]).toEqual([{ pod: expect.stringContaining("not there any more") }, 0]);
    }
    expect(await other.desk.suggest(asking(asked))).toHaveLength(100);
    await other.close();
  });

  test("A pod that came again under the same name has another value", () => {
    expect(podValue({ name: long("x"), uid: "1" })).not.toBe(podValue({ name: long("x"), uid: "2" }));
    expect(podValue({ name: "short", uid: "1" })).toBe("short");
  });
});

describe("Which text opens it", () => {
  const opens = async (text: string, source: "slack" | "terminal" = "slack") =>
    (await desk.desk.form({ ...desk.request(text), source }, who)) !== undefined;

  test("quarantine alone, in Slack", async () => {
    for (const text of ["quarantine", " Quarantine  ", "QUARANTINE"]) expect(await opens(text), text).toBe(true);
    for (const text of ["quarantine a/b", "release", "", "help quarantine", "quarantine --dry-run"]) {
      expect(await opens(text), text).toBe(false);
    }
    expect(await opens("quarantine", "terminal")).toBe(false);
  });
});
