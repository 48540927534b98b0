import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import type { Query } from "./commands/explain-report.ts";
import { didYouMean } from "./commands/suggest.ts";
import { protocols } from "./simulator/ports.ts";
import type { Asked } from "./simulator/resolve.ts";
import type { EngineName, Settings } from "./simulator/snapshot.ts";

/** What the tools that need neither a cluster nor a configuration are asked. */
export type PolicyTool = SimulateTool | ExplainTool;

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

/** `manifests` undefined: about the live cluster. */
export type ExplainTool = Common & { readonly kind: "explain"; readonly manifests: string; readonly query: Query };

export type ArgumentProblem = { readonly kind: "problem"; readonly problem: string };

const engines: readonly EngineName[] = ["networkpolicy", "cilium", "calico", "antrea"];

const common = { values: ["--engine", "--output"], flags: ["--ip-block-matches-pods"] };

/** `simulate --manifests DIR …`; undefined for any other command, also for `explain` of a cluster. */
export function readPolicyTool([command, ...args]: readonly string[]): PolicyTool | ArgumentProblem | undefined {
  if (command === "simulate") return told(command, readSimulate(args));
  if (command === "explain" && args.some((arg) => /^--manifests\b/.test(arg))) return told(command, readExplain(args));
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

function readExplain(args: readonly string[]): PolicyTool | string {
  const options = readOptions(args, { values: ["--manifests", "--from", "--to", "--port", "--protocol"], flags: [] });
  if (typeof options === "string") return options;
  const shared = readCommon(options);
  if (typeof shared === "string") return shared;
  const { values } = options;
  const [manifests, from, to] = ["--manifests", "--from", "--to"].map((name) => values.get(name));
  if (manifests === undefined) return "needs --manifests DIR, a folder of manifests.";
  if (from === undefined || to === undefined) return "needs --from and --to, each as namespace/name.";
  const asked = readAsked(values.get("--port"), values.get("--protocol"));
  return typeof asked === "string" ? asked : { kind: "explain", ...shared, manifests, query: { from, to, ...asked } };
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

function told(command: string, read: PolicyTool | string): PolicyTool | ArgumentProblem {
  return typeof read === "string" ? { kind: "problem", problem: `${command}: ${read}` } : read;
}
