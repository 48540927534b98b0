import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readArguments, readAuditTool } from "../src/cli-arguments.ts";
import { isCommandName } from "../src/commands/manuals.ts";
import { parse } from "../src/commands/parse.ts";
import { bindTemplate } from "../src/policy/bind-template.ts";
import { parseDuration } from "../src/policy/duration.ts";
import { ttlFor } from "../src/policy/template.ts";
import { readPolicyTool } from "../src/policy-arguments.ts";
import { loadTemplates, shippedTemplates } from "../src/templates.ts";
import { checkout, read, readKustomization } from "./deploy/manifests.ts";

const folder = "runbooks/procedures";
const names = readdirSync(`${checkout}${folder}`).filter((name) => name.endsWith(".md"));
const { templates, problems } = loadTemplates(shippedTemplates);
const ofTemplates = templates.map(({ procedure }) => procedure);
const objects = [
  ...readKustomization("deploy/base"),
  ...readKustomization("deploy/components/redis"),
  ...readKustomization("deploy/components/canary"),
].map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);

test("There is a procedure for each alert and for each thing that may be away, for a change that broke traffic, for the audit chain, and for whether policy is enforced", () => {
  expect(names.filter((name) => !ofTemplates.includes(name)).toSorted()).toEqual([
    "audit-spooling.md",
    "audit-verify.md",
    "cache-old.md",
    "denied-spike.md",
    "expiry-late.md",
    "kubernetes-away.md",
    "not-isolated.md",
    "reaper-stale.md",
    "redis-away.md",
    "replica-without-slack.md",
    "roll-back-a-policy.md",
    "slack-away.md",
    "verify-enforcement.md",
  ]);
});

test("Every template that ships is fine, and has a procedure of its own", () => {
  expect(problems).toEqual([]);
  expect(templates.map(({ name }) => name)).toEqual([
    "between-workloads",
    "database-failover",
    "dns",
    "egress-to-cidr",
    "from-ingress",
    "identity-provider",
    "monitoring-scrapes",
    "pause-default-deny",
  ]);
  expect(templates.map(({ name, procedure }) => ({ name, there: names.includes(procedure) && procedure }))).toEqual(
    templates.map(({ name }) => ({ name, there: `${name}.md` })),
  );
});

describe.each(templates)("The procedure of the template $name", (template) => {
  const text = read(`${folder}/${template.procedure}`);
  const examples = [...text.matchAll(/`\/np (allow [^`]+)`/g)].map(([, line = ""]) => line);

  test("shows how to open it, with values that it takes and a reason", () => {
    expect(examples.length).toBeGreaterThan(0);
    for (const line of examples) {
      const command = parse(line);
      if (command.kind !== "allow") throw new Error(line);
      expect(command).toMatchObject({ template: template.name, reason: expect.stringMatching(/\w/) });
      expect(bindTemplate(template, command.values)).not.toHaveProperty("refusals");
      expect(ttlFor(template, command.ttlMs ?? 0)).not.toHaveProperty("reason");
    }
  });

  test("says no longer time for extensions than there is", () => {
    for (const [, time = ""] of text.matchAll(/\/np extend \S+ (\w+)`/g)) {
      const ms = parseDuration(time) ?? Number.NaN;
      expect(ms).toBeLessThanOrEqual(template.ttl.totalMs - template.ttl.defaultMs);
    }
  });
});

describe.each(names)("The procedure %s", (name) => {
  const text = read(`${folder}/${name}`);
  const commands = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, body = ""]) =>
    body
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== ""),
  );

  const isOfTemplate = ofTemplates.includes(name);

  test("has its sections, in order, and says what to do in commands", () => {
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual(
      isOfTemplate
        ? ["When", "Before", "Do", "See", "End", "Afterwards"]
        : ["Seen by", "Meanwhile", "Do", "Afterwards"],
    );
    expect(commands.length).toBeGreaterThan(isOfTemplate ? 0 : 1);
    expect(commands.filter((line) => !/^(kubectl|bulkhead) /.test(line))).toEqual([]);
  });

  test("gives Bulkhead only commands that it understands", () => {
    const inSlack = [...text.matchAll(/`\/np ([^`]+)`/g)].map(([, line = ""]) => line);
    const inTerminal = commands
      .map((line) => /(?:^|-- )bulkhead (.+)$/.exec(line.replace(/ > \S+$/, ""))?.[1])
      .filter((line) => line !== undefined);
    const known = inSlack.filter((one) => one !== "quarantine" && !isToCome(one));
    for (const line of known) expect(parse(line).kind, line).not.toBe("usage");
    for (const line of inTerminal) {
      const args = line.split(" ");
      const tool = readAuditTool(args) ?? readPolicyTool(args);
      const invocation = readArguments(args);
      const kind = "kind" in invocation ? "problem" : parse(invocation.words.join(" ")).kind;
      expect(tool?.kind ?? kind, line).not.toMatch(/problem|usage/);
    }
  });

  test("names only objects that deploy/ has", () => {
    const named = commands.flatMap((line) => [
      ...[...line.matchAll(/\bdeploy\/(?!components\/)(\S+)/g)].map(([, one]) => `deployment/${one}`),
      ...[...line.matchAll(/\b(bulkhead-redis)-0\b/g)].map(([, one]) => `statefulset/${one}`),
      ...[...line.matchAll(/-l app\.kubernetes\.io\/name=(\S+)/g)].map(([, one]) => `service/${one}`),
      ...[...line.matchAll(/ -n (bulkhead\S*) /g)].map(([, one]) => `namespace/${one}`),
    ]);
    expect(named.filter((one) => !objects.includes(one))).toEqual([]);
  });

  test("applies only folders that can be applied", () => {
    for (const [, path] of text.matchAll(/ -k (deploy\/\S+)/g))
      expect(() => read(`${path}/kustomization.yaml`)).not.toThrow();
  });

  test("links to what is there", () => {
    for (const [, path] of text.matchAll(/\]\(([^)#]+)\)/g)) expect(() => read(`${folder}/${path}`)).not.toThrow();
  });
});

/** Commands that procedures name before they are there; once they are, their lines have to parse. */
function isToCome(line: string): boolean {
  const [word = ""] = line.split(" ");
  return ["end", "review"].includes(word) && !isCommandName(word);
}
