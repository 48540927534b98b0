import type { TimelineWanted } from "./audit-timeline.ts";
import { type Command, isWriting } from "./commands/command.ts";
import { incidentForm, isIncidentId } from "./policy/incident.ts";

/** How a terminal command line was meant. */
export type Invocation = {
  /** The command's words, as after `/np`. */
  readonly words: readonly string[];
  /** How often --yes was given: each is one press of Confirm. */
  readonly confirmations: number;
  readonly output: "text" | "json";
  /** The file that the answer's picture is written to, as PNG. */
  readonly picture?: string;
};

export type AuditTool =
  | { readonly kind: "verify"; readonly from: string | undefined; readonly head: string | undefined }
  | { readonly kind: "export"; readonly timeline: TimelineWanted | undefined }
  | { readonly kind: "confirm"; readonly from: string };

export type ArgumentProblem = { readonly kind: "problem"; readonly problem: string };

/** The terminal's own options that take a value. */
const valued: Readonly<Record<string, "output" | "picture">> = {
  "--output": "output",
  "-o": "output",
  "--picture": "picture",
};

/** Takes the terminal's own options out; what is left is parsed as in Slack. */
export function readArguments(args: readonly string[]): Invocation | ArgumentProblem {
  const words: string[] = [];
  const values: { output: string; picture?: string } = { output: "text" };
  let confirmations = 0;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const option = valued[arg];
    if (arg === "--yes" || arg === "-y") confirmations += 1;
    else if (option !== undefined) values[option] = args[++i] ?? "";
    else if (arg === "--help" || arg === "-h")
      return { words: ["help", ...words.slice(0, 1)], confirmations: 0, output: "text" };
    else words.push(arg);
  }
  const { output, ...picture } = values;
  if (output !== "text" && output !== "json") return problem("--output takes text or json");
  return picture.picture === "" ? problem("--picture takes a file") : { words, confirmations, output, ...picture };
}

/**
 * The command with the incident of BULKHEAD_INCIDENT, where it writes and names none itself. A value that is no id is a
 * problem, not ignored: what it was meant for would miss the operation.
 */
export function withIncident(
  invocation: Invocation,
  command: Command,
  incident: string | undefined,
): Invocation | ArgumentProblem {
  if (!isWriting(command) || saysWhat(command)) return invocation;
  if (incident === undefined || incident === "" || command.incident !== undefined) return invocation;
  if (!isIncidentId(incident)) return { kind: "problem", problem: `BULKHEAD_INCIDENT: ${incidentForm}` };
  return { ...invocation, words: [...invocation.words, "--incident", incident] };
}

/** Beside no single change, --incident says what a rollback is to undo: the surroundings must not say that. */
function saysWhat(command: Command): boolean {
  return command.kind === "rollback" && (command.what.kind === "last" || command.what.kind === "since");
}

const auditTools = {
  verify: ["--from", "--head"],
  export: ["--output", "--incident", "--from"],
  confirm: ["--from"],
} as const;

/**
 * `audit verify [--from FILE] [--head SEQ:HASH]`, `audit export --output ndjson` and `audit export --incident ID
 * [--output markdown|json|csv] [--from FILE]`, `audit confirm --from FILE`; undefined for any other command.
 */
export function readAuditTool(args: readonly string[]): AuditTool | ArgumentProblem | undefined {
  const [command, tool, ...rest] = args;
  if (command !== "audit" || (tool !== "verify" && tool !== "export" && tool !== "confirm")) return undefined;
  const options = readOptions(rest, auditTools[tool]);
  if (typeof options === "string") return { kind: "problem", problem: `audit ${tool}: ${options}` };
  if (tool === "verify") return { kind: "verify", from: options.get("--from"), head: options.get("--head") };
  if (tool === "export") return readExport(options);
  const from = options.get("--from");
  return from === undefined
    ? problem("audit confirm needs --from FILE, an export that is kept")
    : { kind: "confirm", from };
}

/** ndjson is the whole chain, which can be verified; the formats for people are one incident's. */
function readExport(options: ReadonlyMap<string, string>): AuditTool | ArgumentProblem {
  const [incident, from] = [options.get("--incident"), options.get("--from")];
  if (incident === undefined) {
    return (options.get("--output") ?? "ndjson") === "ndjson" && from === undefined
      ? { kind: "export", timeline: undefined }
      : problem(
          "audit export writes the whole chain as ndjson only; --output markdown, json or csv need --incident ID",
        );
  }
  const output = options.get("--output") ?? "markdown";
  if (!isIncidentId(incident)) return problem(`audit export: --incident: ${incidentForm}`);
  if (output !== "markdown" && output !== "json" && output !== "csv") {
    return problem(
      "audit export --incident writes markdown, json or csv; ndjson is the whole chain, without --incident",
    );
  }
  return { kind: "export", timeline: { incident, output, from } };
}

function problem(text: string): ArgumentProblem {
  return { kind: "problem", problem: text };
}

/** `--name value` pairs, or what is wrong with them. */
function readOptions(args: readonly string[], known: readonly string[]): ReadonlyMap<string, string> | string {
  const options = new Map<string, string>();
  for (let i = 0; i < args.length; i += 2) {
    const [name = "", value = ""] = args.slice(i, i + 2);
    if (!known.includes(name)) return `there is no option ${name}`;
    if (value === "") return `${name} needs a value`;
    options.set(name, value);
  }
  return options;
}
