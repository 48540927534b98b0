import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Reply } from "../../src/commands/reply.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

/** May do everything in shop, and has no right in vault. */
const carol: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U3", displayName: "carol" };
/** The same, and has typed nothing yet. */
const frank: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U5", displayName: "frank" };
/** May audit in every namespace. */
const auditor: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U4", displayName: "dora" };

let desk: TestDesk;
/** A quarantine that is in force, one that was released, its release, and a plan: all in vault. */
let hidden: Record<"inForce" | "released" | "release" | "planned", string>;
let own: string;

beforeAll(async () => {
  desk = await startDesk();
  const { access } = desk.services.settings;
  const alice = { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["vault", "shop"] } as const;
  const rules = [
    alice,
    { principals: ["slack:T1/U3", "slack:T1/U5"], verbs: ["*"], namespaces: ["shop"] } as const,
    { principals: ["slack:T1/U4"], verbs: ["audit"], namespaces: ["*"] } as const,
  ];
  Object.assign(access, { rules });
  desk.sandbox.apply(
    ...["vault", "shop", "shop2"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
  );
  for (const name of ["master-1", "master-2", "master-3"]) aPod("vault", name);
  aPod("shop", "front-1");
  own = await quarantined("shop/front-1");
  const released = await quarantined("vault/master-2");
  const release = (await desk.type(`release ${released}`)).operation ?? "";
  await desk.press("confirm", release);
  const planned = (await desk.type("quarantine vault/master-3 secret reason")).operation ?? "";
  hidden = { inForce: await quarantined("vault/master-1"), released, release, planned };
});

afterAll(() => desk.close());

let pods = 0;

function aPod(namespace: string, name: string, labels: Record<string, string> = { app: name }): void {
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", podIP: `10.250.0.${++pods}`, conditions: [{ type: "Ready", status: "True" }] },
  });
}

function addressOf(namespace: string, name: string): string {
  const status = stored(desk.sandbox, "Pod", name, namespace)?.["status"] as { readonly podIP: string };
  return status.podIP;
}

async function quarantined(target: string): Promise<string> {
  const { operation = "" } = await desk.type(`quarantine ${target} secret reason`);
  await desk.press("confirm", operation);
  return operation;
}

/** Everything that the person gets, without what was typed and what is fresh in every reply. */
function said(reply: Reply, typed: string): string {
  return JSON.stringify(reply)
    .replaceAll(typed, "TYPED")
    .replaceAll(/[qr]-[0-9a-z]{7}/g, "ID");
}

const nowhere = "nowhere";
const unknown = "q-zzzzzzz";

/** What one may ask about, and how: the first is there and hidden, the second is not there. */
const paths: readonly [string, (name: string) => Promise<Reply>, () => readonly [string, string]][] = [
  ["quarantine, a pod", (name) => desk.type(`quarantine ${name}/master-1`, carol), () => ["vault", nowhere]],
  [
    "quarantine, the beginning of a name",
    (name) => desk.type(`quarantine ${name}/mas`, carol),
    () => ["vault", nowhere],
  ],
  [
    "quarantine, a dry run",
    (name) => desk.type(`quarantine ${name}/master-1 --dry-run`, carol),
    () => ["vault", nowhere],
  ],
  ["release, a pod", (name) => desk.type(`release ${name}/master-1`, carol), () => ["vault", nowhere]],
  [
    "release, a pod that is not quarantined",
    (name) => desk.type(`release ${name}/master-3`, carol),
    () => ["vault", nowhere],
  ],
  [
    "explain, from there",
    (name) => desk.type(`explain ${name}/master-1 → shop/front-1:80`, carol),
    () => ["vault", nowhere],
  ],
  [
    "explain, to there",
    (name) => desk.type(`explain shop/front-1 → ${name}/master-1:80`, carol),
    () => ["vault", nowhere],
  ],
  [
    "explain, to an address there",
    (address) => desk.type(`explain shop/front-1 → ${address}:80`, carol),
    () => [addressOf("vault", "master-1"), "10.250.250.250"],
  ],
  ["status of a namespace", (name) => desk.type(`status ${name}`, carol), () => ["vault", nowhere]],
  ["audit of a namespace", (name) => desk.type(`audit ${name}/`, carol), () => ["vault", nowhere]],
  ["release, an operation in force", (id) => desk.type(`release ${id}`, carol), () => [hidden.inForce, unknown]],
  ["release, one that has ended", (id) => desk.type(`release ${id}`, carol), () => [hidden.released, unknown]],
  [
    "release, one that is no quarantine",
    (id) => desk.type(`release ${id}`, carol),
    () => [hidden.release, "r-zzzzzzz"],
  ],
  ["release, one that is only planned", (id) => desk.type(`release ${id}`, carol), () => [hidden.planned, unknown]],
  ["release, a dry run", (id) => desk.type(`release ${id} --dry-run`, carol), () => [hidden.inForce, unknown]],
  [
    "release, the beginning of an id",
    (id) => desk.type(`release ${id}`, carol),
    () => [hidden.inForce.slice(0, 6), "q-zzzz"],
  ],
  ...(["confirm", "confirm-again", "cancel", "release", "keep", "show"] as const).map(
    (action): (typeof paths)[number] => [
      `the button ${action}`,
      (id) => desk.press(action, id, { principal: carol }),
      () => [action === "confirm" || action === "cancel" ? hidden.planned : hidden.inForce, unknown],
    ],
  ),
];

describe("Who has no right in a namespace gets the same answer whether what was asked for is there or not", () => {
  test.each(paths)("%s", async (_, ask, names) => {
    const [there, missing] = names();
    const [one, other] = [await ask(there), await ask(missing)];
    if (!there.startsWith("10.")) expect(one.outcome).toBe("refused");
    expect(said(one, there)).toBe(said(other, missing));
  });
});

describe("No answer names what lies in a namespace where the person has no right", () => {
  test.each([
    ["status", "status"],
    ["audit", "audit since 1d"],
    ["a mistyped namespace that resembles it", "quarantine shop/mastr-1"],
    ["the beginning of a pod's name", "quarantine shop/m"],
    ["a mistyped operation", "release q-1"],
    ["whoami", "whoami"],
    ["help", "help"],
  ])("%s", async (_, typed) => {
    const reply = await desk.type(typed, frank);
    expect(JSON.stringify(reply)).not.toMatch(/vault|master-/);
    for (const id of Object.values(hidden)) expect(JSON.stringify(reply)).not.toContain(id);
  });

  test("status and audit do show what the person may see", async () => {
    expect(wordsIn(await desk.type("status", carol))).toContain(own);
    expect(wordsIn(await desk.type("audit", frank))).toContain(own);
  });

  test("a namespace is suggested only to whom it is no secret", async () => {
    Object.assign(desk.services.settings.access.rules[1] ?? {}, { namespaces: ["shop", "vaul", "sho"] });
    expect(wordsIn(await desk.type("quarantine vaul/x", carol))).not.toMatch(/Did you mean/);
    expect(wordsIn(await desk.type("quarantine sho/x", carol))).toMatch(/Did you mean shop\?/);
    Object.assign(desk.services.settings.access.rules[1] ?? {}, { namespaces: ["shop"] });
  });

  test("the beginning of an id is ambiguous only among what the person sees", async () => {
    const reply = await desk.type("release q-", carol);
    expect(reply.outcome).toBe("usage");
    const beginning = own.slice(0, 4);
    const others = Object.values(hidden).filter((id) => id.startsWith(beginning));
    expect(await desk.type(`release ${beginning}`, carol), others.join()).toMatchObject({
      outcome: "needs-confirmation",
    });
  });

  test("operations beyond the first page of those that are hidden are found", async () => {
    const planned = await desk.services.operations.get(hidden.planned);
    for (let number = 0; number < 25; number++) {
      const id = `q-0${String(number).padStart(2, "0")}0000`;
      await desk.services.operations.accept({ ...planned!, id, delivery: `many-${number}`, revision: 0 });
    }
    const mine = await desk.services.operations.get(own);
    await desk.services.operations.accept({ ...mine!, id: "q-0zzzzzz", delivery: "mine", revision: 0 });
    expect(wordsIn(await desk.type("release q-0", carol))).toMatch(/The audit holds no intent of q-0zzzzzz/);
    expect(wordsIn(await desk.type("release q-00", carol))).toMatch(/no operation q-00/);
  });

  test("a label that somebody wrote on a pod does not lead to another namespace's quarantine", async () => {
    aPod("shop", "trojan", { [marks.quarantine]: hidden.inForce });
    const reply = await desk.type("release shop/trojan", carol);
    expect(reply.outcome).toBe("refused");
    expect(JSON.stringify(reply)).not.toMatch(/vault|master/);
    const asked = await desk.type("quarantine shop/trojan", carol);
    expect(JSON.stringify(asked)).not.toMatch(/vault|master/);
  });
});

describe("The audit", () => {
  test("shows refusals without a namespace to the person and to whoever may audit everywhere, to nobody else", async () => {
    await desk.type("release q-yyyyyyy", carol);
    await desk.type("release q-xxxxxxx");
    const [hers, alices] = [wordsIn(await desk.type("audit", carol)), wordsIn(await desk.type("audit"))];
    expect(hers).toContain("q-yyyyyyy");
    expect(hers).not.toContain("q-xxxxxxx");
    expect(alices).toContain("q-xxxxxxx");
    expect(alices).not.toContain("q-yyyyyyy");
    expect(wordsIn(await desk.type("audit", auditor))).toMatch(/q-xxxxxxx.*q-yyyyyyy|q-yyyyyyy.*q-xxxxxxx/);
  });

  test("has every refusal of these, and tells no more there than the answer did", async () => {
    const newest = async () => (await desk.services.audit.read({ limit: 1 }))[0];
    const about = async (ask: () => Promise<Reply>) => {
      await ask();
      const { kind, actor, namespace, summary, command } = (await newest()) ?? {};
      expect({ kind, actor }).toMatchObject({ kind: "refusal", actor: { user: "U3" } });
      return { namespace, summary, command: command?.replace(/q-\w{7}/, "ID") };
    };
    const press = (id: string) => about(() => desk.press("confirm", id, { principal: carol }));
    expect(await press(hidden.planned)).toEqual(await press(unknown));
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${hidden.inForce}`, "vault")).toBeDefined();
  });

  test("tells which channel was bound to which incident to whoever may audit anywhere", async () => {
    await desk.type("incident INC-482");
    expect(wordsIn(await desk.type("audit", carol))).toContain("bound to incident INC-482");
  });
});
