import { blindSpots } from "./commands/blind-spots.ts";
import { check } from "./commands/check.ts";
import { brokenJunit, checkJson, checkJunit, checkText } from "./commands/check-report.ts";
import { difference } from "./commands/diff.ts";
import { differenceJson, differenceText } from "./commands/diff-report.ts";
import { readExpectations } from "./commands/expectations.ts";
import { reportJson, reportOn, reportText } from "./commands/explain-report.ts";
import { simulate } from "./commands/simulate.ts";
import { readManifestFolder, readText, writeText } from "./manifest-files.ts";
import type { CheckTool, DiffTool, ExplainTool, PolicyTool, SimulateTool } from "./policy-arguments.ts";
import { compile, type Simulator } from "./simulator/compile.ts";
import { readManifests } from "./simulator/manifests.ts";
import type { Settings } from "./simulator/snapshot.ts";

export type ToolOutput = {
  /** What to write to standard output; empty where the input is broken, so that nothing looks complete that is not. */
  readonly out: string;
  /** Lines for standard error. */
  readonly err: readonly string[];
  /** 0 done; 1 not as expected; 2 the input is broken. */
  readonly code: 0 | 1 | 2;
};

/** The tools that read manifests: they need neither a cluster nor Slack nor Redis nor a configuration. */
export function runPolicyTool(tool: PolicyTool): ToolOutput {
  const { out, err, code } = run(tool);
  return { out: shown(out), err: err.map(shown), code };
}

/** Names and values come from outside: without control, bidirectional and other invisible characters, line ends aside. */
export function shown(text: string): string {
  return text.replace(/(?!\n)\p{Cc}/gu, " ").replace(/\p{Cf}/gu, "");
}

function run(tool: PolicyTool): ToolOutput {
  switch (tool.kind) {
    case "simulate":
      return runSimulate(tool);
    case "explain":
      return runExplain(tool);
    case "check":
      return runCheck(tool);
    case "diff":
      return runDiff(tool);
  }
}

function runSimulate({ manifests, settings, output, keepGoing }: SimulateTool): ToolOutput {
  const loaded = load(manifests, settings);
  if (!("simulator" in loaded) || (loaded.broken.length > 0 && !keepGoing)) return broken(loaded.broken);
  const out = simulate(loaded.simulator, [...loaded.warnings, ...blindSpots(loaded.simulator)], output);
  return { out, err: loaded.broken, code: loaded.broken.length > 0 ? 2 : 0 };
}

function runExplain({ manifests, settings, output, query }: ExplainTool): ToolOutput {
  const loaded = load(manifests, settings);
  if (loaded.broken.length > 0 || !("simulator" in loaded)) return broken(loaded.broken);
  const { simulator, warnings } = loaded;
  const report = reportOn(simulator, query);
  if ("problem" in report) return { out: "", err: [report.problem], code: 2 };
  const out = output === "json" ? reportJson(report, query) : reportText(report);
  return { out, err: warnings, code: 0 };
}

function runCheck({ manifests, settings, output, expect, junit }: CheckTool): ToolOutput {
  const { checked, warnings } = checkFolder(manifests, expect, settings);
  const report = "problems" in checked ? brokenJunit(checked.problems, expect) : checkJunit(checked, expect);
  const unwritten = junit === undefined ? undefined : writeText(junit, report);
  if ("problems" in checked) return broken([...checked.problems, ...(unwritten ?? [])]);
  if (unwritten !== undefined) return broken(unwritten);
  const holds = checked.every(({ differences }) => differences.length === 0);
  return { out: output === "json" ? checkJson(checked) : checkText(checked), err: warnings, code: holds ? 0 : 1 };
}

function checkFolder(manifests: string, expect: string, settings: Settings) {
  const text = readText(expect);
  if ("problem" in text) return { checked: { problems: [text.problem] }, warnings: [] };
  const expectations = readExpectations(expect, text.text);
  const loaded = load(manifests, settings);
  const unreadable = "problems" in expectations ? expectations.problems : [];
  if (loaded.broken.length > 0 || "problems" in expectations || !("simulator" in loaded)) {
    return { checked: { problems: [...unreadable, ...loaded.broken] }, warnings: [] };
  }
  return { checked: check(loaded.simulator, expectations, expect), warnings: loaded.warnings };
}

function runDiff({ before, after, settings, output, failOn }: DiffTool): ToolOutput {
  const [old, current] = [load(before, settings), load(after, settings)];
  const wrong = [...within(before, old.broken), ...within(after, current.broken)];
  if (wrong.length > 0 || !("simulator" in old) || !("simulator" in current)) return broken(wrong);
  const found = difference(old.simulator, current.simulator);
  const out = output === "json" ? differenceJson(found) : differenceText(found);
  const opens = found.rows.some(({ opened, unsure }) => opened.length + unsure.length > 0);
  const changes = found.rows.length + found.added.length + found.removed.length > 0;
  const fails = (failOn === "opening" && opens) || (failOn === "change" && changes);
  return { out, err: [...warningsOf(before, old), ...warningsOf(after, current)], code: fails ? 1 : 0 };
}

function warningsOf(folder: string, { warnings, simulator }: Loaded): readonly string[] {
  return [...warnings, ...blindSpots(simulator)].map((line) => `${folder}: ${line}`);
}

/** Lines that begin with a path in the folder, or with the folder itself. */
function within(folder: string, lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line.startsWith(`${folder}: `) ? line : `${folder.replace(/\/$/, "")}/${line}`));
}

type Loaded = {
  readonly simulator: Simulator;
  readonly broken: readonly string[];
  readonly warnings: readonly string[];
};

/** A folder, compiled; `broken` says what of it could not be read. */
function load(folder: string, settings: Settings): Loaded | { readonly broken: readonly string[] } {
  const read = readManifestFolder(folder);
  if ("problem" in read) return { broken: [read.problem] };
  if (read.files.length + read.broken.length === 0) {
    return { broken: [`${folder}: holds no .yaml, .yml or .json file`] };
  }
  const { snapshot, broken: unread, warnings, placed } = readManifests(read.files);
  const simulator = compile(snapshot, settings);
  const told = [...read.broken, ...unread, ...placed(simulator.problems)];
  return { simulator, broken: told, warnings: [...warnings, ...simulator.warnings] };
}

function broken(lines: readonly string[]): ToolOutput {
  const what = lines.length === 1 ? "1 problem" : `${lines.length} problems`;
  return { out: "", err: [...lines, `${what} in the input, so nothing is answered.`], code: 2 };
}
