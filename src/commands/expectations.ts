import { type Document, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { fields } from "../simulator/fields.ts";
import type { Protocol } from "../simulator/model.ts";
import { protocols } from "../simulator/ports.ts";
import { problemsOf } from "../simulator/problems.ts";
import { portNumber, protocol } from "../simulator/selector-schema.ts";

/** What somebody expects of a cluster: of each source, each destination and each port. */
export type Expectation = {
  readonly name: string | undefined;
  /** Names as `explain` takes them, `ns/any` with a star for any workload; those with a leading `!` are left out. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** `any`: every port. */
  readonly ports: readonly number[] | "any";
  readonly protocols: readonly Protocol[];
  readonly is: "allowed" | "denied";
  /** Where it stands in its file, from 1. */
  readonly line: number;
};

const names = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .transform((given) => (typeof given === "string" ? [given] : given))
  .refine((given) => given.some((name) => !name.startsWith("!")), "must name something that is not left out by !");

const expectation = fields({
  name: z.string().exactOptional(),
  from: names,
  to: names,
  port: z.union([portNumber, z.array(portNumber).min(1), z.literal("any")]),
  protocol: z.union([protocol, z.literal("any")]).exactOptional(),
  is: z.enum(["allowed", "denied"]),
});

const file = fields({ version: z.literal(1), expect: z.array(expectation).min(1) });

/**
 * The expectations of a YAML or JSON file, version 1; or everything that is wrong with it, by line and field. `port: any`
 * is of every protocol where none is given, and any other port of TCP.
 */
export function readExpectations(
  path: string,
  text: string,
): readonly Expectation[] | { readonly problems: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, stringKeys: true, logLevel: "error" });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = lines.linePos(error.pos[0]).line;
    return { problems: [`${path}:${line}: is not YAML: ${error.message.split("\n")[0]}`] };
  }
  const parsed = file.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {});
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) =>
      problemsOf(new z.ZodError([issue])).map(
        ({ field, message }) =>
          `${path}:${lineOf(document, lines, issue.path)}: ${field}${field === "" ? "" : ": "}${message}`,
      ),
    );
    return { problems };
  }
  return parsed.data.expect.map(({ port, protocol: given, name, ...rest }, i) => ({
    ...rest,
    name,
    ports: typeof port === "number" ? [port] : port,
    protocols: given === "any" || (given === undefined && port === "any") ? protocols : [given ?? "TCP"],
    line: lineOf(document, lines, ["expect", i]),
  }));
}

/** Of the innermost part of the path that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
    if (Array.isArray(range) && typeof range[0] === "number") return lines.linePos(range[0]).line;
  }
  return 1;
}
