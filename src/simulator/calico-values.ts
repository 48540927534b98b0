import { z } from "zod";
import { type AddressSet, parseAddress, parseCidr } from "./addresses.ts";
import { type Expression, parseSelector } from "./calico-selector.ts";
import { portName } from "./selector-schema.ts";

/** The texts in Calico's objects that have a grammar of their own, read. */

export const selector = z.string().max(1024).transform(readSelector).exactOptional();
/** Of service accounts: of any length. */
export const anySelector = z.string().transform(readSelector).exactOptional();
/** A rule's namespaceSelector, which may be global(). */
export const scope = z.string().max(1024).transform(readScope).exactOptional();

/** A single address is a net of one. */
export const net = z.string().transform((text, context): AddressSet => {
  const address = parseAddress(text);
  const cidr = parseCidr(address === undefined ? text : `${text}/${address.family === "ipv4" ? 32 : 128}`);
  if (cidr !== undefined) return cidr;
  context.addIssue({ code: "custom", message: "is no CIDR such as 10.1.0.0/16" });
  return z.NEVER;
});

export const port = z.union([z.int().min(0).max(65_535), z.string().transform(readPort)]);
function readSelector(text: string, context: z.RefinementCtx): Expression | undefined {
  const read = readScope(text, context);
  if (read === undefined || !usesGlobal(read)) return read;
  context.addIssue({ code: "custom", message: "must not use global(): only a rule's namespaceSelector may" });
  return z.NEVER;
}

/** Empty is absent. */
function readScope(text: string, context: z.RefinementCtx): Expression | undefined {
  if (text === "") return undefined;
  const parsed = parseSelector(text);
  const wrong = "message" in parsed ? parsed.message : wrongScope(parsed);
  if (wrong !== undefined) context.addIssue({ code: "custom", message: `is no selector of Calico: it ${wrong}` });
  return "message" in parsed ? z.NEVER : parsed;
}

function wrongScope(parsed: Expression): string | undefined {
  return parsed.op !== "global" && usesGlobal(parsed) ? "combines global() with something else" : undefined;
}

function usesGlobal(expression: Expression): boolean {
  if (expression.op === "not") return usesGlobal(expression.of);
  return "of" in expression ? expression.of.some(usesGlobal) : expression.op === "global";
}

type ReadPort = { readonly from: number; readonly to: number } | { readonly name: string };

/** `80`, `6040:6050` or a port's name (api/pkg/lib/numorstring/port.go). */
function readPort(text: string, context: z.RefinementCtx): ReadPort {
  const range = /^(\d+)(?::(\d+))?$/.exec(text);
  const from = Number(range?.[1]);
  const to = Number(range?.[2] ?? range?.[1]);
  if (range === null && portName.safeParse(text).success) return { name: text };
  if (range !== null && from <= to && to <= 65_535) return { from, to };
  context.addIssue({ code: "custom", message: "is no port, no range such as 6040:6050 and no port's name" });
  return z.NEVER;
}
