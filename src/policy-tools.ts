import { reportJson, reportOn, reportText } from "./commands/explain-report.ts";
import { simulate } from "./commands/simulate.ts";
import { readManifestFolder } from "./manifest-files.ts";
import type { ExplainTool, PolicyTool, SimulateTool } from "./policy-arguments.ts";
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
  switch (tool.kind) {
    case "simulate":
      return runSimulate(tool);
    case "explain":
      return runExplain(tool);
  }
}

function runSimulate({ manifests, settings, output, keepGoing }: SimulateTool): ToolOutput {
  const loaded = load(manifests, settings);
  if (!("simulator" in loaded)) return broken(loaded.broken);
  if (loaded.broken.length > 0 && !keepGoing) return broken(loaded.broken);
  const out = simulate(loaded.simulator, loaded.warnings, output);
  return { out, err: loaded.broken, code: loaded.broken.length > 0 ? 2 : 0 };
}

function runExplain({ manifests, settings, output, query }: ExplainTool): ToolOutput {
  const loaded = load(manifests, settings);
  if (loaded.broken.length > 0 || !("simulator" in loaded)) return broken(loaded.broken);
  const { simulator, warnings } = loaded;
  const report = reportOn(simulator, query);
  if ("problem" in report) return { out: "", err: [report.problem], code: 2 };
  const out = output === "json" ? reportJson(report, query) : reportText(report);
  return { out, err: [...warnings, ...simulator.warnings], code: 0 };
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
  return { simulator, broken: [...read.broken, ...unread, ...placed(simulator.problems)], warnings };
}

function broken(lines: readonly string[]): ToolOutput {
  const what = lines.length === 1 ? "1 problem" : `${lines.length} problems`;
  return { out: "", err: [...lines, `${what} in the input, so nothing is answered.`], code: 2 };
}
