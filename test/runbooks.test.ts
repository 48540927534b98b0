import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readArguments, readAuditTool } from "../src/cli-arguments.ts";
import { parse } from "../src/commands/parse.ts";
import { checkout, read, readKustomization } from "./deploy/manifests.ts";

const folder = "runbooks/procedures";
const names = readdirSync(`${checkout}${folder}`).filter((name) => name.endsWith(".md"));
const objects = [
  ...readKustomization("deploy/base"),
  ...readKustomization("deploy/components/redis"),
  ...readKustomization("deploy/components/canary"),
].map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);

test("There is a procedure for each thing that may be away, for the audit chain, and for whether policy is enforced", () => {
  expect(names.toSorted()).toEqual([
    "audit-verify.md",
    "kubernetes-away.md",
    "redis-away.md",
    "slack-away.md",
    "verify-enforcement.md",
  ]);
});

describe.each(names)("The procedure %s", (name) => {
  const text = read(`${folder}/${name}`);
  const commands = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, body = ""]) =>
    body
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== ""),
  );

  test("has the four sections, in order, and says what to do in commands", () => {
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual([
      "Seen by",
      "Meanwhile",
      "Do",
      "Afterwards",
    ]);
    expect(commands.length).toBeGreaterThan(1);
    expect(commands.filter((line) => !/^(kubectl|bulkhead) /.test(line))).toEqual([]);
  });

  test("gives Bulkhead only commands that it understands", () => {
    const inSlack = [...text.matchAll(/`\/np ([^`]+)`/g)].map(([, line = ""]) => line);
    const inTerminal = commands
      .map((line) => /(?:^|-- )bulkhead (.+)$/.exec(line.replace(/ > \S+$/, ""))?.[1])
      .filter((line) => line !== undefined);
    for (const line of inSlack.filter((one) => one !== "quarantine")) expect(parse(line).kind, line).not.toBe("usage");
    for (const line of inTerminal) {
      const args = line.split(" ");
      const tool = readAuditTool(args);
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
