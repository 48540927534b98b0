import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import type { Query } from "./commands/explain-report.ts";
import { isRevisionIdPrefix } from "./policy/revision.ts";
import { didYouMean } from "./policy/suggest.ts";
import { protocols } from "./simulator/ports.ts";
import type { Asked } from "./simulator/resolution.ts";
import type { EngineName, Settings } from "./simulator/snapshot.ts";

/** What the tools that need neither a cluster nor a configuration are asked. */
export type PolicyTool = SimulateTool | ExplainTool | CheckTool | DiffTool;

/** What every tool takes. */
type Common = {
  readonly settings: Settings;
  readonly output: "text" | "json";
};

export type SimulateTool = Common & {
  readonly kind: "simulate";
  readonly manifests: string;
  readonly keepGoing: boolean;
};

export type ExplainTool = Common & { readonly kind: "explain"; readonly manifests: string; readonly query: Query };

/** `expect` and `junit` are files. */
export type CheckTool = Common & {
  readonly kind: "check";
  readonly manifests: string;
  readonly expect: string;
  readonly junit: string | undefined;
};

/** `failOn` undefined: a difference is no failure. */
export type DiffTool = Common & {
  readonly kind: "diff";
  readonly before: string;
  readonly after: string;
  readonly failOn: "opening" | "change" | undefined;
};

export type ArgumentProblem = { readonly kind: "problem"; readonly problem: string };

const engines: readonly EngineName[] = ["networkpolicy", "cilium", "calico", "antrea"];

const common = { values: ["--engine", "--output"], flags: ["--ip-block-matches-pods"] };

/** `simulate`, `check`, `diff` and `explain --manifests DIR`; undefined for any other command, also for `explain` of a cluster. */
export function readPolicyTool([command, ...args]: readonly string[]): PolicyTool | ArgumentProblem | undefined {
  const isExplain = command === "explain" && args.some((arg) => /^--manifests\b/.test(arg));
  if (command === "diff" && isOfCluster(args)) return undefined;
  if (command !== "simulate" && command !== "check" && command !== "diff" && !isExplain) return undefined;
  const tool = isExplain ? "explain" : command;
  const read = readTool(tool, args);
  return typeof read === "string" ? { kind: "problem", problem: `${tool}: ${read}` } : read;
}

/** What one change of a policy in a cluster changed is a command. */
function isOfCluster([first = "", second = "-"]: readonly string[]): boolean {
  return isRevisionIdPrefix(first) && second.startsWith("-");
}

function readTool(tool: PolicyTool["kind"], args: readonly string[]): PolicyTool | string {
  const options = readOptions(args, known[tool]);
  if (typeof options === "string") return options;
  const shared = readCommon(options);
  return typeof shared === "string" ? shared : readers[tool](options, shared);
}

const known: Readonly<Record<PolicyTool["kind"], Known>> = {
  simulate: { values: ["--manifests"], flags: ["--keep-going"] },
  explain: { values: ["--manifests", "--from", "--to", "--port", "--protocol"], flags: [] },
  check: { values: ["--manifests", "--expect", "--junit"], flags: [] },
  diff: { values: ["--fail-on"], flags: [], words: 2 },
};

type Reader = (options: Options, shared: Common) => PolicyTool | string;

const readers: Readonly<Record<PolicyTool["kind"], Reader>> = {
  simulate: readSimulate,
  explain: readExplain,
  check: readCheck,
  diff: readDiff,
};

const noManifests = "needs --manifests DIR, a folder of manifests.";

function readSimulate({ values, flags }: Options, shared: Common): PolicyTool | string {
  const manifests = values.get("--manifests");
  if (manifests === undefined) return noManifests;
  return { kind: "simulate", ...shared, manifests, keepGoing: flags.has("--keep-going") };
}

function readExplain({ values }: Options, shared: Common): PolicyTool | string {
  const [manifests, from, to] = ["--manifests", "--from", "--to"].map((name) => values.get(name));
  if (manifests === undefined) return noManifests;
  if (from === undefined || to === undefined) return "needs --from and --to, each as namespace/name.";
  const asked = readAsked(values.get("--port"), values.get("--protocol"));
  return typeof asked === "string" ? asked : { kind: "explain", ...shared, manifests, query: { from, to, ...asked } };
}

function readCheck({ values }: Options, shared: Common): PolicyTool | string {
  const [manifests, expect] = [values.get("--manifests"), values.get("--expect")];
  if (manifests === undefined) return noManifests;
  if (expect === undefined) return "needs --expect FILE, a file of expectations.";
  return { kind: "check", ...shared, manifests, expect, junit: values.get("--junit") };
}

function readDiff({ values, words }: Options, shared: Common): PolicyTool | string {
  const [before, after] = words;
  if (before === undefined || after === undefined) return "needs two folders of manifests, before and after.";
  const failOn = values.get("--fail-on");
  if (failOn !== undefined && failOn !== "opening" && failOn !== "change") return "--fail-on takes opening or change.";
  return { kind: "diff", ...shared, before, after, failOn };
}

function readAsked(port: string | undefined, given = "TCP"): Asked | string {
  const protocol = protocols.find((each) => each === given.toUpperCase());
  if (protocol === undefined) return `--protocol takes ${protocols.join(", ")}.`;
  if (port === undefined) return "needs --port, the port of the destination.";
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  return number >= 1 && number <= 65_535 ? { protocol, port: number } : "--port takes a number from 1 to 65535.";
}

function readCommon({ values, flags }: Options): Common | string {
  const [engine, output = "text"] = [values.get("--engine"), values.get("--output")];
  const known = engines.find((each) => each === engine);
  if (engine !== undefined && known === undefined) return `--engine takes ${engines.join(", ")}.`;
  if (output !== "text" && output !== "json") return "--output takes text or json.";
  return { settings: { engine: known, ipBlockMatchesPods: flags.has("--ip-block-matches-pods") }, output };
}

type Known = { readonly values: readonly string[]; readonly flags: readonly string[]; readonly words?: number };

type Options = {
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
  readonly words: readonly string[];
};

/** `--name value`, `--name=value` and flags, wherever they stand; or what is wrong with them. */
function readOptions(args: readonly string[], own: Known): Options | string {
  const known = { values: [...common.values, ...own.values], flags: [...common.flags, ...own.flags] };
  const typed = (names: readonly string[], type: "string" | "boolean") =>
    names.map((name) => [name.slice(2), { type }]);
  const options = Object.fromEntries([
    ...typed(known.values, "string"),
    ...typed(known.flags, "boolean"),
  ]) as ParseArgsOptionsConfig;
  const { tokens } = parseArgs({
    args: args.map((arg) => (arg === "-o" ? "--output" : arg)),
    options,
    strict: false,
    tokens: true,
  });
  const values = new Map<string, string>();
  const flags = new Set<string>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const wrong = optionProblem(token.rawName, swallowed(token) ? undefined : token.value, known);
    if (wrong !== undefined) return wrong;
    if (values.has(token.rawName)) return `${token.rawName} is given twice.`;
    if (token.value === undefined) flags.add(token.rawName);
    else values.set(token.rawName, token.value);
  }
  const more = words[own.words ?? 0];
  return more === undefined ? { values, flags, words } : `"${more}" is more than it takes.`;
}

/** `--manifests --output json`: the next option is no value. */
function swallowed({
  value,
  inlineValue,
}: {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}): boolean {
  return inlineValue === false && value?.startsWith("--") === true;
}

function optionProblem(name: string, value: string | undefined, known: Known): string | undefined {
  if (known.values.includes(name)) return value === undefined || value === "" ? `${name} needs a value.` : undefined;
  if (known.flags.includes(name)) return value === undefined ? undefined : `${name} takes no value.`;
  return `there is no option ${name}.${didYouMean(name, [...known.values, ...known.flags])}`;
}
