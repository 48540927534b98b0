import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { fileReply } from "./commands/flow-file.ts";
import type { Reply } from "./commands/reply.ts";
import { bodiesOf } from "./flow-file-bodies.ts";
import { countFile } from "./flow-file-count.ts";

export type FlowFileTool = {
  /** A path, or `-` for standard input. */
  readonly from: string;
  readonly output: "text" | "json";
};

const usage = "Usage: bulkhead flows --from FILE|- [--output text|json]";

/** `flows --from FILE`; undefined for any other command, `flows` of a cluster among them. */
export function readFlowFileTool([command, ...args]: readonly string[]):
  | FlowFileTool
  | { readonly problem: string }
  | undefined {
  if (command !== "flows" || !args.some((arg) => /^--from(=|$)/.test(arg))) return undefined;
  try {
    const options = { from: { type: "string" }, output: { type: "string", short: "o" } } as const;
    const { values } = parseArgs({ args: [...args], options, strict: true });
    const { from = "", output = "text" } = values;
    if (from === "" || (output !== "text" && output !== "json")) return { problem: `flows: ${usage}` };
    return { from, output };
  } catch (error) {
    return { problem: `flows: ${error instanceof Error ? error.message : String(error)}. ${usage}` };
  }
}

type Surroundings = {
  /** Standard input. */
  readonly input: AsyncIterable<Uint8Array | string>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/** What the file tells; or why it cannot be read. Needs neither cluster nor Redis. */
export async function runFlowFile(
  { from }: Pick<FlowFileTool, "from">,
  { input, now }: Surroundings,
): Promise<Reply | { readonly problem: string }> {
  // Of a long path the end would be cut, which is what tells files apart.
  const name = from === "-" ? "standard input" : basename(from);
  try {
    const bodies = bodiesOf(from === "-" ? input : createReadStream(from));
    return fileReply(await countFile(name, bodies, now));
  } catch (error) {
    return { problem: `${name}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
