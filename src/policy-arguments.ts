import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { didYouMean } from "./commands/suggest.ts";
import type { EngineName, Settings } from "./simulator/snapshot.ts";

/** What the tools that need neither a cluster nor a configuration are asked. */
export type PolicyTool = SimulateTool;

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

export type ArgumentProblem = { readonly kind: "problem"; readonly problem: string };

const engines: readonly EngineName[] = ["networkpolicy", "cilium", "calico", "antrea"];

const common = { values: ["--engine", "--output"], flags: ["--ip-block-matches-pods"] };

/** `simulate --manifests DIR …`; undefined for any other command. */
export function readPolicyTool([command, ...args]: readonly string[]): PolicyTool | ArgumentProblem | undefined {
  if (command === "simulate") return told(command, readSimulate(args));
  return undefined;
}

function readSimulate(args: readonly string[]): PolicyTool | string {
  const options = readOptions(args, { values: ["--manifests"], flags: ["--keep-going"] });
  if (typeof options === "string") return options;
  const shared = readCommon(options);
  if (typeof shared === "string") return shared;
  const manifests = options.values.get("--manifests");
  if (manifests === undefined) return "needs --manifests DIR, a folder of manifests.";
  return { kind: "simulate", ...shared, manifests, keepGoing: options.flags.has("--keep-going") };
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

function told(command: string, read: PolicyTool | string): PolicyTool | ArgumentProblem {
  return typeof read === "string" ? { kind: "problem", problem: `${command}: ${read}` } : read;
}
