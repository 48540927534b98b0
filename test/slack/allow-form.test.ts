import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { allowText } from "../../src/commands/allow-form-text.ts";
import { allowCandidates } from "../../src/commands/allow-suggestions.ts";
import type { FormFields } from "../../src/commands/form.ts";
import { parse } from "../../src/commands/parse.ts";
import type { Principal } from "../../src/policy/principal.ts";
import type { Template } from "../../src/policy/template.ts";
import { readTemplate } from "../../src/template-file.ts";
import { startDesk, type TestDesk } from "../commands/desk.ts";
import { waitFor } from "../wait.ts";
import { type Edge, type EdgeOptions, memoryShelf, startEdge } from "./edge.ts";

const namespaces = ["payments", "shop", "hidden", "elsewhere"].map((name) => {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
});
const long = `${"a-very-long-name-of-".repeat(4)}ledger`;
const workloads = [
  ["checkout", "payments"],
  ["checkout", "hidden"],
  ["checkout", "elsewhere"],
  ["cart", "shop"],
  [long, "payments"],
].map(([name = "", namespace = ""]) => {
  const labels = { app: name.slice(0, 40) };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "x" }] } };
  const spec = { replicas: 0, selector: { matchLabels: labels }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace }, spec };
});

const egress = template(`
parameters:
  workload: { type: workload, about: whose pods may connect }
  cidr: { type: cidr, widest: { ipv4: 24 }, about: where to }
  port: { type: port, oneOf: [443, 8443], default: 443, about: the port }
  protocol: { type: choice, oneOf: [TCP, UDP], default: TCP, about: the protocol }
opens:
  - { from: { workload: $workload }, to: { cidr: $cidr }, ports: [{ port: $port, protocol: $protocol }] }`);

function template(lines: string): Template {
  const read = readTemplate(
    "egress.yaml",
    `version: 1
name: egress
title: Open *egress* <!here>
when: When it is needed.
owner: platform
procedure: egress.md
ttl: { default: 30m, max: 2h, total: 4h }
where: { namespaces: [payments, shop, hidden], clusters: ["*"] }
approvals: { count: 1 }
${lines}`,
  );
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return read.template;
}

const alice = { user: "U0ALICE" };
const principal: Principal = {
  kind: "slack",
  enterprise: undefined,
  team: "T0ACME",
  user: "U0ALICE",
  displayName: "Alice",
};
const who = async () => principal;

let desk: TestDesk;
let templates: readonly Template[] = [egress];
let edge: Edge | undefined;

beforeAll(async () => {
  desk = await startDesk({
    cluster: { objects: [...namespaces, ...workloads], controllers: false },
    services: { templates: { all: () => templates, problems: () => [] } },
    settings: {
      access: {
        rules: [
          { principals: ["slack:T0ACME/U0ALICE"], verbs: ["allow"], namespaces: ["payments", "shop", "elsewhere"] },
          { principals: ["slack:T0ACME/U0BOB"], verbs: ["status"], namespaces: ["*"] },
        ],
        people: [],
      },
    },
  });
});
afterAll(() => desk.close());
afterEach(async () => {
  templates = [egress];
  await edge?.close();
  edge = undefined;
});

/** The form that this text opens. */
async function opened(text: string, options: EdgeOptions = {}): Promise<Edge> {
  edge = await startEdge({
    form: (request, sender) => desk.desk.form(request, sender),
    suggest: (asked) => desk.desk.suggest(asked),
    formText: (form, sender) => desk.desk.formText(form, sender),
    ...options,
  });
  await edge.sandbox.command({ ...alice, channel: "C0INCIDENT", text });
  await edge.sandbox.waitForView("U0ALICE");
  return edge;
}

test("A template alone opens a form with its own fields, which holds no name and carries an id alone", async () => {
  const { sandbox } = await opened("allow egress");
  const { content } = sandbox.view("U0ALICE")!;
  const shown = content.blocks.map((block) => [
    block.block_id,
    block.type === "input" ? block.element.type : block.type,
  ]);
  expect(shown.slice(1)).toEqual([
    ["value:workload", "external_select"],
    ["value:cidr", "plain_text_input"],
    ["value:port", "static_select"],
    ["value:protocol", "static_select"],
    ["time", "plain_text_input"],
    ["reason", "plain_text_input"],
    ["run", "checkboxes"],
  ]);
  expect(content.blocks[0]).toMatchObject({
    text: { type: "plain_text", text: "Open *egress* <!here>. When it is needed. 1 other person must approve." },
  });
  expect(content.private_metadata).toMatch(/^[0-9a-f-]{36}$/);
  const said = JSON.stringify(content);
  expect(said).toContain("where to. Not wider than /24 (IPv4)");
  expect(said).toContain("At most 2h; 4h in all, with extensions.");
  expect(said).not.toContain("payments");
});

test("Sent, it is the command that one could have typed, with what was typed before it opened", async () => {
  const { sandbox, requests } = await opened("allow egress port=8443 for 20m --incident INC-4 the bank");
  const { options } = await sandbox.search({ ...alice, field: "value:workload", query: "check" });
  expect(options.map(({ value }) => value)).toEqual(["payments/deployment/checkout"]);
  await sandbox.pick({ ...alice, field: "value:workload", option: "payments/deployment/checkout" });
  await sandbox.fill({ ...alice, field: "value:cidr", text: "198.51.0.0/16" });
  await sandbox.fill({ ...alice, field: "time", text: "3h" });
  const wrong = await sandbox.submit(alice);
  expect([wrong.problem, wrong.errors]).toEqual([
    undefined,
    {
      "value:cidr":
        "The value cidr=198.51.0.0/16 is wider than /24, the widest IPv4 block that may be opened. Give cidr another value: where to.",
      time: expect.stringContaining("more than the 2h for which template egress may be opened"),
    },
  ]);
  await sandbox.fill({ ...alice, field: "value:cidr", text: "198.51.100.0/24" });
  await sandbox.fill({ ...alice, field: "time", text: "20m" });
  await sandbox.tick({ ...alice, field: "run", options: ["dry-run"] });
  expect((await sandbox.submit(alice)).view).toBeUndefined();
  await waitFor(() => requests.length === 1);
  expect(requests[0]).toMatchObject({
    text: 'allow --dry-run --incident INC-4 egress workload=payments/deployment/checkout cidr=198.51.100.0/24 port=8443 protocol=TCP for 20m "the bank"',
    channel: "C0INCIDENT",
    delivery: expect.stringMatching(/^slack:T0ACME:view:/),
  });
});

test.each(["U0BOB", "U0GUEST", "U0FOREIGN"])("%s, who may not, sees nothing of the template", async (user) => {
  edge = await startEdge({ form: (request, sender) => desk.desk.form(request, sender) });
  const { acknowledgement } = await edge.sandbox.command({ user, channel: "C0INCIDENT", text: "allow egress" });
  expect(JSON.stringify(acknowledgement)).not.toContain("platform");
  await edge.slack.drain(2_000);
  expect([edge.events.includes("form"), edge.sandbox.view(user)]).toEqual([false, undefined]);
});

test("A form of which nothing is known any more says so, and offers nothing", async () => {
  const shelf = { ...memoryShelf(Date.now), put: () => Promise.reject(new Error("away")) };
  const { sandbox } = await opened("allow egress workload=payments/checkout", { shelf });
  expect((await sandbox.search({ ...alice, field: "value:workload", query: "" })).options).toEqual([]);
  await sandbox.fill({ ...alice, field: "value:cidr", text: "198.51.100.0/24" });
  const { errors } = await sandbox.submit(alice);
  expect(errors).toEqual({ reason: expect.stringContaining("not known any more") });
});

test("A template that asks for more by now is said under a field that the form has", async () => {
  const { sandbox } = await opened("allow egress workload=payments/checkout");
  await sandbox.fill({ ...alice, field: "value:cidr", text: "198.51.100.0/24" });
  const { port = { type: "port", about: "x" } } = egress.parameters;
  templates = [{ ...egress, parameters: { ...egress.parameters, other: { type: "port", about: port.about } } }];
  expect((await sandbox.submit(alice)).errors).toEqual({ reason: expect.stringContaining("other is missing") });
});

test("Hostile words of a template's file are within Slack's limits, and nothing in them acts", async () => {
  const about = `\u202E${"<!channel>*".repeat(300)}`;
  const oneOf = ["x".repeat(300), "\u200B"];
  const parameters = { "*hostile*": { type: "port", about }, choice: { type: "choice", about, oneOf } } as const;
  templates = [{ ...egress, title: about, parameters }];
  const { sandbox } = await opened("allow egress");
  const said = JSON.stringify(sandbox.view("U0ALICE")!.content);
  expect(said).not.toContain("\u202E");
  expect(said).not.toContain("mrkdwn");
});

test("Which commands open it: a template alone, or without a value that it needs", async () => {
  const opens = async (text: string) => (await desk.desk.form(desk.request(text, principal), who)) !== undefined;
  const whole = "allow egress workload=payments/checkout cidr=198.51.100.0/24";
  for (const text of ["allow egress", "allow egress for 20m x", "allow egress cidr=198.51.100.0/24 --break-glass"]) {
    expect(await opens(text), text).toBe(true);
  }
  for (const text of ["allow", whole, `${whole} for 20m`, "allow other", "allow egress --no-such"]) {
    expect(await opens(text), text).toBe(false);
  }
  const simple = { ...egress, parameters: { port: { type: "port", about: "x", default: "443" } } } as const;
  templates = [simple];
  expect([await opens("allow egress"), await opens("allow egress for 20m")]).toEqual([true, false]);
});

test("It offers what the person may open and the template covers, and a long name stands for one workload", async () => {
  const ask = async (field: string, sender = principal) => {
    const asked = { kind: "allow", command: "allow egress", fields: {}, field, typed: "", principal: sender } as const;
    return (await allowCandidates(desk.services, asked)).map(({ name, value }) => [name, value]);
  };
  const ledger = `payments/deployment/${long}`;
  const offered = Object.fromEntries(await ask("value:workload"));
  expect(Object.keys(offered).toSorted()).toEqual([ledger, "payments/deployment/checkout", "shop/deployment/cart"]);
  expect(offered[ledger]?.length).toBeLessThanOrEqual(75);
  expect(await ask("value:workload", { ...principal, user: "U0BOB" })).toEqual([]);
  for (const field of ["value:cidr", "value:constructor", "workload", "namespace"])
    expect(await ask(field)).toEqual([]);
  const fields = { "value:workload": offered[ledger] ?? "", "value:cidr": "198.51.100.0/24" };
  const form = { kind: "allow", command: "allow egress", fields } as const;
  expect(await allowText(desk.services, form, who)).toContain(`workload=${ledger}`);
  expect(await allowText(desk.services, form, async () => undefined)).toMatchObject({
    "value:workload": expect.stringContaining("is no workload"),
  });
});

test("Whatever is written into its fields means nothing but what the field is for", async () => {
  const nasty = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom("--break-glass", "for 2h", "cluster=x", "port=8443", '" --dry-run "', "“x” --dry-run", "for"),
  );
  await fc.assert(
    fc.asyncProperty(nasty, nasty, nasty, fc.boolean(), async (reason, time, port, dry) => {
      const given = { "value:workload": "payments/checkout", "value:cidr": "198.51.100.0/24", "value:port": port };
      const fields: FormFields = { ...given, reason, time, run: dry ? "dry-run" : "" };
      const text = await allowText(desk.services, { kind: "allow", command: "allow egress", fields }, who);
      if (typeof text !== "string") return;
      const command = parse(text);
      if (command.kind !== "allow") throw new Error(text);
      expect(command).toMatchObject({ template: "egress", breakGlass: false, dryRun: dry, cluster: undefined });
      expect(command.values["port"]).toBe(command.values["port"] === undefined ? undefined : port.trim());
    }),
    { numRuns: 50 },
  );
});
