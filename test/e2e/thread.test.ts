import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuditLog } from "../../src/audit/log.ts";
import { createHistory } from "../../src/history/history.ts";
import { marks } from "../../src/policy/marks.ts";
import { defaultUsers } from "../../src/sandbox/slack/people.ts";
import { renderMessage } from "../../src/sandbox/slack/text.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { connectTestRedis, emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const alice = { user: "U0ALICE", channel: "C0INCIDENT" };
const hostile = "<!channel> *x* `y` <https://evil.example|here>";

const auditToken = "the-token-of-this-test";

let redis: Redis;
let world: World;

/** The real bot as a process of its own; everybody's display name tries to mention the channel. */
beforeAll(async () => {
  redis = await connectTestRedis();
  world = await startWorld({
    node: process.execPath,
    env: { ...process.env, KUBERNETES_AUDIT_TOKEN: auditToken },
    redisUrl: await emptyTestRedis(),
    config: { settle: "0s" },
    slack: { users: defaultUsers.map((one) => ({ ...one, displayName: `${one.displayName} ${hostile}` })) },
  });
});

afterAll(async () => {
  await world?.close();
  redis?.disconnect();
});

function podOf(app: string): string {
  const pods = world.cluster.objects("Pod", "shop").filter(({ metadata }) => metadata.labels?.["app"] === app);
  return pods[0]?.metadata.name ?? "";
}

function labelsOf(pod: string) {
  return world.cluster.objects("Pod", "shop").find(({ metadata }) => metadata.name === pod)?.metadata.labels;
}

function ourPolicies() {
  return world.cluster.objects("NetworkPolicy").filter(({ metadata }) => metadata.labels?.[marks.operation]);
}

const operations = () => createOperations(redis, { now: Date.now }).list({});
function specOf(policy: string): unknown {
  const [found] = world.cluster.objects("NetworkPolicy", "payments").filter(({ metadata }) => metadata.name === policy);
  return found?.["spec"];
}

const history = () => createHistory(redis, { keepMs: 86_400_000, perPolicy: 10 });
const entries = (operation?: string) =>
  createAuditLog(redis, { onEntry: () => undefined }).read(operation === undefined ? {} : { operation });

/** The message that everybody in the channel, or the person alone, sees with that in it. */
function seen(text: string | RegExp, channel = "C0INCIDENT"): Promise<Message> {
  return world.slack.waitForMessage(
    (message) => message.channel === channel && new RegExp(text).test(JSON.stringify([message.text, message.blocks])),
  );
}

const confirm = (message: Message) => world.slack.press({ user: "U0ALICE", message, button: "np:confirm" });

async function quarantined(pod: string) {
  await world.slack.command({ ...alice, text: `quarantine shop/${pod} ${hostile}` });
  const plan = await seen(`Plan: quarantine shop/${pod}`);
  await confirm(plan);
  await waitFor(() => world.slack.current(plan)?.text.includes("ISOLATED FOR NEW CONNECTIONS"));
}

describe("the thread from Slack to an isolated pod", () => {
  test("A pod is planned, confirmed, isolated and released, and gets exactly its labels back", async () => {
    const pod = podOf("frontend");
    const before = labelsOf(pod);
    await world.slack.command({ ...alice, text: `quarantine shop/${pod} review 2h odd traffic` });
    const plan = await seen(`Plan: quarantine shop/${pod}`);
    expect(ourPolicies()).toEqual([]);
    expect(labelsOf(pod)).toEqual(before);
    await confirm(plan);
    const isolated = await seen(`ISOLATED FOR NEW CONNECTIONS.*shop/${pod}`);
    expect(isolated.ts).toBe(plan.ts);
    const [policy] = ourPolicies();
    expect(policy?.["spec"]).toMatchObject({ policyTypes: ["Ingress", "Egress"] });
    expect(labelsOf(pod)).toHaveProperty([marks.quarantine], policy?.metadata.labels?.[marks.operation]);
    expect(labelsOf(pod)).not.toHaveProperty("app");

    await world.slack.command({ ...alice, text: `release shop/${pod} false alarm` });
    await confirm(await seen(`Plan: release shop/${pod}`));
    await seen(`Released: shop/${pod}`);
    expect(ourPolicies()).toEqual([]);
    const after = labelsOf(pod);
    expect(after === undefined || JSON.stringify(after) === JSON.stringify(before)).toBe(true);
  });

  test("A command delivered three times and Confirm pressed twice at once are one operation and one intent (invariant 9)", async () => {
    const pod = podOf("search");
    const before = (await operations()).length;
    const delivery = await world.slack.command({ ...alice, text: `quarantine shop/${pod}` });
    await world.slack.deliverAgain(delivery, 2);
    const plan = await seen(`Plan: quarantine shop/${pod}`);
    await Promise.all([confirm(plan), confirm(plan)]);
    await seen(`ISOLATED FOR NEW CONNECTIONS.*shop/${pod}`);
    await seen("It is past that already|Working|somebody else");
    const recorded = (await operations()).filter(({ target }) => target.pod === pod);
    expect(recorded).toHaveLength(1);
    expect(await operations()).toHaveLength(before + 1);
    const kinds = (await entries(recorded[0]?.id)).map(({ kind }) => kind);
    expect(kinds).toEqual(["intent", "outcome"]);
    expect(ourPolicies()).toHaveLength(1);
    const cards = world.slack.messages("C0INCIDENT").filter(({ text }) => text.includes(pod));
    expect(cards).toHaveLength(1);
  });

  test("Where the bot is no member it answers the person alone, and its buttons work", async () => {
    const pod = podOf("cart");
    await world.slack.command({
      user: "U0ALICE",
      channel: "C0RANDOM",
      text: `quarantine shop/${pod} --confirm ${pod}`,
    });
    const plan = await seen(`Plan: quarantine shop/${pod}`, "C0RANDOM");
    expect(plan.ephemeralTo).toBe("U0ALICE");
    await confirm(plan);
    const isolated = await seen(`ISOLATED FOR NEW CONNECTIONS.*shop/${pod}`, "C0RANDOM");
    expect(isolated.ephemeralTo).toBe("U0ALICE");
    expect(labelsOf(pod)).toHaveProperty([marks.quarantine]);
    expect(world.slack.messages("C0RANDOM")).toEqual([]);
  });

  test("A change that a pipeline made to a policy is in the history, with its diff behind a button", async () => {
    const metadata = { name: "allow-checkout", namespace: "payments" };
    const [was] = world.cluster
      .objects("NetworkPolicy", "payments")
      .filter((one) => one.metadata.name === metadata.name);
    const egress = [{ ports: [{ protocol: "TCP", port: 443 }] }];
    const spec = { podSelector: { matchLabels: { app: "checkout" } }, policyTypes: ["Egress"], egress };
    const url = `${world.cluster.url}/apis/networking.k8s.io/v1/namespaces/payments/networkpolicies/allow-checkout?fieldManager=ci-deploy`;
    const body = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { ...was?.metadata, ...metadata },
      spec,
    };
    const put = await fetch(url, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(put.status).toBe(200);
    await waitFor(async () => (await history().list({ limit: 1 })).length > 0);
    await world.slack.command({ ...alice, text: "history payments since 2h" });
    const told = await seen("Changes of policies in payments");
    expect(told.ephemeralTo).toBe("U0ALICE");
    expect(renderMessage(told, { width: 10_000 })).toMatch(
      /v-\w{7}: NetworkPolicy payments\/allow-checkout was changed by the program ci-deploy\. Opens /,
    );
    await world.slack.press({ user: "U0ALICE", message: told, button: 0 });
    const diff = await seen("allow-checkout was changed.*It closes");
    expect(JSON.stringify(diff.blocks)).toContain("port: 443");
    await world.slack.press({ user: "U0ALICE", message: told, button: 1 });
    const plan = await seen("Plan: rollback NetworkPolicy payments/allow-checkout");
    expect(plan.ephemeralTo).toBeUndefined();
    await confirm(plan);
    await seen("Rolled back: NetworkPolicy payments/allow-checkout");
    expect(specOf(metadata.name)).toEqual(was?.["spec"]);
    await world.slack.command({ ...alice, text: "history payments/allow-checkout" });
    await seen(/Changes of policies of payments\/allow-checkout.*by Alice.*Undone by u-\w{7}/);
  });

  test.for([
    ["a guest", "U0GUEST", "C0INCIDENT", /full members only/],
    ["a guest of one channel", "U0ULTRA", "C0INCIDENT", /full members only/],
    ["a bot", "U0DEPLOY", "C0INCIDENT", /full members only/],
    ["a stranger", "U0STRANGER", "C0INCIDENT", undefined],
    ["somebody of a foreign team", "U0FOREIGN", "C0INCIDENT", undefined],
    ["a member in a shared channel", "U0ALICE", "C0SHARED", /shared with another organisation/],
    ["a member in a channel about to be shared", "U0ALICE", "C0PENDING", /shared with another organisation/],
    ["a member without the right", "U0CAROL", "C0INCIDENT", /whoami/],
  ] as const)("%s is refused, and nothing is written", async ([, user, channel, why]) => {
    const before = [await operations(), ourPolicies(), world.slack.messages(channel)];
    const answered = world.slack.ephemerals(user, channel).length;
    const { shown } = await world.slack.command({ user, channel, text: `quarantine shop/${podOf("frontend")}` });
    const acknowledged = shown === undefined ? 0 : 1;
    await waitFor(() => world.slack.ephemerals(user, channel).length > answered + acknowledged);
    // A refusal is quick: it may stand before the acknowledgement.
    const answers = world.slack.ephemerals(user, channel).slice(answered);
    const said = JSON.stringify(answers.map(({ text, blocks }) => [text, blocks]));
    expect(said).toMatch(why ?? /another organisation|not|member/i);
    expect(said).not.toMatch(/Plan:/);
    expect([await operations(), ourPolicies(), world.slack.messages(channel)]).toEqual(before);
  });

  test.for([
    ["whoami", /slack:T0ACME\/U0ALICE/],
    ["help", /quarantine/],
    ["help release", /--delete-pod/],
    ["status shop", /quarantined for/],
    ["explain shop/frontend → shop/cart:8081", /Yes: shop\/frontend can connect to shop\/cart on TCP 8081/],
    ["explain shop/search -&gt; shop/cart:8081", /No: shop\/search cannot connect to shop\/cart on TCP 8081/],
    ["explain shop/search → monitoring/prometheus:9090", /o rule of the access section lets/],
    ["audit since 24h", /confirmed by/],
    ["quarntine shop/x", /quarantine/],
  ] as const)("/np %s answers", async ([text, expected]) => {
    const since = world.slack.calls.length;
    await world.slack.command({ ...alice, text });
    const answers = () => world.slack.calls.slice(since).filter(({ args }) => expected.test(JSON.stringify(args)));
    await waitFor(() => answers().length > 0);
    expect(answers()[0]?.error).toBeUndefined();
  });

  test("No hostile reason, display name or typed pod reaches Slack where Slack would act on it (invariant 11)", async () => {
    await quarantined(podOf("frontend"));
    const { shown } = await world.slack.command({ ...alice, text: `quarantine shop/${hostile}` });
    await world.slack.command({ ...alice, text: `explain shop/${hostile} → shop/cart:8081` });
    await world.slack.command({ ...alice, text: "audit since 24h" });
    await seen("confirmed by Alice");
    const sent = [...world.slack.calls.map(({ args }) => args), { text: shown?.text, blocks: shown?.blocks }];
    expect(JSON.stringify(sent)).toContain("<!channel>");
    const acting = sent.flatMap(interpreted).filter((text) => /<[!@#h]/.test(text));
    expect(acting).toEqual([]);
    expect(world.slack.calls.filter(({ error }) => error !== undefined && error !== "not_in_channel")).toEqual([]);
  });

  test("Who changed a policy is known by what the API server posts, from who has the token", async () => {
    const policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", spec: { podSelector: {} } };
    const [stored] = world.cluster.apply({ ...policy, metadata: { name: "posted", namespace: "shop" } });
    const event = {
      stage: "ResponseComplete",
      requestURI: "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
      verb: "create",
      user: { username: "jane", groups: ["team-shop"] },
      objectRef: { resource: "networkpolicies", apiGroup: "networking.k8s.io" },
      responseStatus: { code: 201 },
      responseObject: stored,
    };
    const body = JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items: [event] });
    const [cluster] = await history()
      .list({ limit: 1 })
      .then((all) => all.map((one) => one.cluster));
    const post = (token: string) =>
      fetch(`${world.bot.url}/kubernetes-audit/${cluster}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body,
      });
    expect((await post("another-token-of-mine")).status).toBe(401);
    expect((await post(auditToken)).status).toBe(200);
    const revision = () => history().list({ namespace: "shop", name: "posted", limit: 1 });
    await waitFor(async () => (await revision()).length > 0);
    expect((await revision())[0]?.authors).toContainEqual({ kind: "user", user: "jane", groups: ["team-shop"] });
  });

  test("/livez, /readyz and /metrics answer, with the time from Confirm to each step", async () => {
    const get = (path: string) => fetch(`${world.bot.url}${path}`);
    expect((await get("/livez")).status).toBe(200);
    expect((await get("/readyz")).status).toBe(200);
    const metrics = await (await get("/metrics")).text();
    expect(metrics).toMatch(/bulkhead_step_since_confirm_seconds_count\{verb="quarantine",step="[^"]+"\} [1-9]/);
    expect((await get("/else")).status).toBe(404);
  });

  test("SIGTERM ends it with exit code 0, no process stays, and its standard output proves the chain", async () => {
    expect(await world.bot.stop()).toBe(0);
    const chain = await entries();
    expect(() => process.kill(world.bot.pid, 0)).toThrow(/ESRCH/);
    await waitFor(() => world.bot.lines.some((line) => line.includes("Bulkhead has stopped")));
    const folder = await mkdtemp(join(tmpdir(), "bulkhead-copies-"));
    const file = join(folder, "copies.ndjson");
    await writeFile(file, `${world.bot.lines.join("\n")}\n`);
    const last = chain.at(-1);
    const verified = await verify(file, `${last?.seq}:${last?.hash}`);
    await writeFile(file, `${world.bot.lines.filter((line) => !line.includes('"seq":2,')).join("\n")}\n`);
    const broken = await verify(file, `${last?.seq}:${last?.hash}`);
    await rm(folder, { recursive: true });
    expect(verified).toMatchObject({ code: 0, out: expect.stringContaining(`intact: ${chain.length} entries`) });
    expect(broken.code).toBe(1);
  });
});

/** What Slack reads as mrkdwn in a message: the top-level text, and texts of that type in blocks. */
function interpreted({ text, blocks }: Readonly<Record<string, unknown>>): readonly string[] {
  const parsed: unknown = typeof blocks === "string" ? JSON.parse(blocks) : blocks;
  const found: string[] = typeof text === "string" ? [text] : [];
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("type" in value && value.type === "mrkdwn" && "text" in value) found.push(String(value.text));
    for (const member of Object.values(value)) walk(member);
  };
  walk(parsed);
  return found;
}

async function verify(file: string, head: string): Promise<{ readonly code: number; readonly out: string }> {
  const child = spawn(process.execPath, [cli, "audit", "verify", "--from", file, "--head", head], {
    env: { ...world.env },
  });
  let out = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (out += data.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, out };
}
