#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { hostname } from "node:os";
import { createInterface } from "node:readline/promises";
import { setTimeout as wait } from "node:timers/promises";
import { type AuditTool, type Invocation, readArguments, readAuditTool, withIncident } from "./cli-arguments.ts";
import { usageAnswer } from "./commands/answers.ts";
import { help } from "./commands/help.ts";
import { parse } from "./commands/parse.ts";
import type { Outcome, Reply } from "./commands/reply.ts";
import { toolHelp, toolList, toolNames } from "./commands/tool-help.ts";
import { type PolicyTool, readPolicyTool } from "./policy-arguments.ts";
import type { ToolOutput } from "./policy-tools.ts";
import type { StopSignal } from "./sandbox/demo.ts";
import { replyText } from "./terminal-text.ts";

/** Exit codes, as README documents them. */
const exitCodes: Record<Outcome, number> = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  "needs-confirmation": 4,
  "not-isolated": 5,
  "needs-approval": 6,
};

/** `help` shows nothing by itself: its reply is printed like every other. */
const silent = { show: () => Promise.resolve({ card: undefined, reached: true }) };

/** Tools that read their arguments themselves. */
const ownTools = new Map<string | undefined, (args: readonly string[]) => Promise<number>>([
  ["templates", templateAnswer],
  ["reap", reapAnswer],
]);

enableCompileCache();
process.stdout.on("error", readerGone);
process.exitCode = await main(process.argv.slice(2));

/** `drift` of what is in force, and `flows` of a cluster, are commands. */
function ownTool([name, ...rest]: readonly string[]) {
  const isDeclared = name === "drift" && rest.some((arg) => arg.startsWith("--declared"));
  if (name === "flows" && rest.some((arg) => arg.startsWith("--from"))) return flowFileAnswer;
  return isDeclared ? declaredAnswer : ownTools.get(name);
}

/** What is heavy (clusters, Redis, configuration) is imported only when a command needs it. */
async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "demo") return (await import("./sandbox/demo.ts")).runDemo(args.slice(1), demoTerminal());
  const tool = readAuditTool(args);
  if (tool !== undefined) return tool.kind === "problem" ? problem(tool.problem) : auditTool(tool);
  const page = toolHelp(args);
  if (page !== undefined) return answer(page, { output: "text" });
  const own = ownTool(args);
  if (own !== undefined) return own(args);
  const policyTool = readPolicyTool(args);
  if (policyTool !== undefined) {
    return policyTool.kind === "problem" ? problem(policyTool.problem) : policyAnswer(policyTool);
  }
  const invocation = readArguments(args);
  if ("kind" in invocation) return problem(invocation.problem);
  const command = parse(invocation.words.map(quoted).join(" "), toolNames);
  if (command.kind === "usage") return answer(usageAnswer(command.problem, command.topic), invocation);
  if (command.kind === "help") return answer(await terminalHelp(command), invocation);
  const bound = withIncident(invocation, command, process.env["BULKHEAD_INCIDENT"]);
  return "kind" in bound ? problem(bound.problem) : runCommand(command, bound);
}

async function runCommand(
  command: Parameters<typeof help>[1] | Exclude<ReturnType<typeof parse>, { kind: "usage" }>,
  invocation: Invocation,
): Promise<number> {
  const { runFromTerminal } = await import("./cli-run.ts");
  const result = await runFromTerminal({
    env: process.env,
    configText: configText(),
    read: readText,
    now: Date.now,
    wait: (ms) => wait(ms),
    host: hostname(),
    command,
    invocation,
    progress: (line) => void process.stderr.write(`${line}\n`),
    ask: process.stdin.isTTY && invocation.output === "text" ? ask : undefined,
    show: (reply) => void process.stdout.write(replyText(reply, width())),
  }).catch((error: unknown) => unreachable(error));
  if (typeof result === "number") return result;
  if ("problems" in result) return result.problems.map(problem).at(-1) ?? 2;
  if (invocation.picture !== undefined) {
    const { writePicture } = await import("./terminal-picture.ts");
    process.stderr.write(`${await writePicture(result, invocation.picture)}\n`);
  }
  return answer(result, invocation);
}

async function terminalHelp(command: Parameters<typeof help>[1]): Promise<Reply> {
  const reply = await help({ outlet: silent }, command);
  return command.topic === undefined ? { ...reply, sections: [...reply.sections, toolList()] } : reply;
}

async function policyAnswer(tool: PolicyTool): Promise<number> {
  const { runPolicyTool } = await import("./policy-tools.ts");
  return told(runPolicyTool(tool));
}

async function templateAnswer(args: readonly string[]): Promise<number> {
  const { readTemplateTool, runTemplateTool } = await import("./template-tools.ts");
  const tool = readTemplateTool(args);
  return "problem" in tool ? problem(tool.problem) : told(runTemplateTool(tool));
}

async function reapAnswer(args: readonly string[]): Promise<number> {
  const [{ readReapTool, runReap }, { readConfig }] = await Promise.all([
    import("./reap-tool.ts"),
    import("./config.ts"),
  ]);
  const tool = readReapTool(args);
  if ("problem" in tool) return problem(tool.problem);
  const loaded = readConfig(process.env, configText(), readText);
  if ("problems" in loaded) return loaded.problems.map(problem).at(-1) ?? exitCodes.usage;
  return runReap(tool, loaded.config, {
    env: process.env,
    now: Date.now,
    monotonic: () => performance.now(),
    wait: (ms) => wait(ms),
    write: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`bulkhead: ${line}\n`),
  }).catch((error: unknown) => unreachable(error));
}

async function declaredAnswer(args: readonly string[]): Promise<number> {
  const [{ readDeclaredTool, runDeclared }, { readConfig }] = await Promise.all([
    import("./declared-tool.ts"),
    import("./config.ts"),
  ]);
  const tool = readDeclaredTool(args);
  if (tool === undefined || "problem" in tool) return problem(tool?.problem ?? "drift: --declared needs a folder");
  const loaded = readConfig(process.env, configText(), readText);
  if ("problems" in loaded) return loaded.problems.map(problem).at(-1) ?? exitCodes.usage;
  const { env } = process;
  // A pipeline reads 1 as drift: what could not be asked is no answer.
  return runDeclared(tool, loaded.config, { env, now: Date.now }).then(told, (error: unknown) => {
    unreachable(error);
    return exitCodes.usage;
  });
}

async function flowFileAnswer(args: readonly string[]): Promise<number> {
  const { readFlowFileTool, runFlowFile } = await import("./flow-file-tool.ts");
  const tool = readFlowFileTool(args);
  if (tool === undefined || "problem" in tool) return problem(tool?.problem ?? "flows: --from needs a file");
  const reply = await runFlowFile(tool, { input: process.stdin, now: Date.now });
  return "problem" in reply ? problem(reply.problem) : answer(reply, tool);
}

function told({ out, err, code }: ToolOutput): number {
  process.stdout.write(out);
  for (const line of err) process.stderr.write(`bulkhead: ${line}\n`);
  return code;
}

async function auditTool(tool: AuditTool): Promise<number> {
  const [{ runAuditTool, toolUser }, { readConfig }] = await Promise.all([
    import("./audit-tools.ts"),
    import("./config.ts"),
  ]);
  const loaded = readConfig(process.env, configText(), readText);
  if ("problems" in loaded) return loaded.problems.map(problem).at(-1) ?? 2;
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    const stamp = { at: new Date().toISOString(), replica: `terminal:${hostname()}` };
    const by = { stamp, actor: toolUser(process.env, loaded.config.terminalUser) };
    const { redisUrl, redisAccess } = loaded.config;
    const { ok, line } = await runAuditTool(tool, { redisUrl, redisAccess, write, now: Date.now, by });
    (tool.kind === "export" || !ok ? process.stderr : process.stdout).write(`${line}\n`);
    return ok ? 0 : 1;
  } catch (error) {
    return unreachable(error);
  }
}

/** Whoever reads the output may stop (`| head`): the rest is not wanted. Half an answer for any other reason is none. */
function readerGone(error: Error): void {
  if ("code" in error && error.code === "EPIPE") return;
  process.stderr.write(`bulkhead: the output could not be written: ${error.message}\n`);
  process.exit(exitCodes.usage);
}

function answer(reply: Reply, { output }: Pick<Invocation, "output">): number {
  const { buttons: _buttons, shape: _shape, ...told } = reply;
  process.stdout.write(output === "json" ? `${JSON.stringify(told)}\n` : replyText(reply, width()));
  if (output === "text" && reply.outcome === "needs-confirmation") {
    process.stdout.write(
      "\nNothing was written. Give --yes to confirm; twice where one is answered by Confirm once more.\n",
    );
  }
  return exitCodes[reply.outcome];
}

function problem(line: string): number {
  process.stderr.write(`bulkhead: ${line}\n`);
  return exitCodes.usage;
}

function unreachable(error: unknown): number {
  process.stderr.write(`bulkhead: ${error instanceof Error ? error.message : String(error)}\n`);
  return exitCodes.failed;
}

async function ask(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(question)).trim());
  } finally {
    lines.close();
  }
}

/** What the demo may use of this process. */
function demoTerminal() {
  return {
    env: process.env,
    node: process.execPath,
    input: process.stdin,
    interactive: process.stdin.isTTY === true,
    width: width(),
    write: (text: string) => void process.stdout.write(text),
    onSignal: (stop: (signal: StopSignal) => void) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
    },
  };
}

function quoted(word: string): string {
  return /\s/.test(word) ? `"${word}"` : word;
}

/** Some pseudo-terminals say that they have no columns at all. */
function width(): number {
  return Math.max(40, Math.min(process.stdout.columns || 100, 120));
}

function configText(): string | undefined {
  return readText(process.env["BULKHEAD_CONFIG"] ?? "/etc/bulkhead/config.yaml");
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
