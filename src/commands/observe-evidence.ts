import { isContaining, type Operation } from "../policy/operation.ts";
import type { Observation, Tally } from "../scheduler/observations.ts";
import { recordAs } from "./journal.ts";
import { lineOf, lineWords } from "./observe-lines.ts";
import { sees } from "./sees.ts";
import type { Services } from "./services.ts";

/**
 * Writes into the audit what was seen around an operation: one entry, whoever writes it first. Its summary has numbers
 * alone; lines with all names are in its detail, which the timeline of an incident shows to whoever may read the chain.
 * Nothing is written where nothing was seen.
 */
export async function recordEvidence(services: Services, operation: Operation, seen: Observation): Promise<void> {
  const { lines, more } = seen;
  if (lines.length === 0) return;
  const denied = lines.filter(({ name }) => isDenied(name)).length;
  const left = more === 0 ? "" : `, and at least ${more} more found no room`;
  const summary = `Flows seen 15 minutes before and after it: ${lines.length} kept, ${denied} of them denied${left}`;
  const first = lines.slice(0, mostTold).flatMap(told);
  await recordAs(
    services,
    operation,
    {
      kind: "observed",
      verb: isContaining(operation.kind) ? operation.kind : "allow",
      actor: { kind: "scheduler" },
      summary,
      detail: { kept: lines.length, more, lines: first },
    },
    `${operation.id}:observed:around`,
  );
}

/** Whether whoever asked for the operation has some right in a namespace of its cluster. */
export function seenBy(services: Services, { principal, target }: Operation): (namespace: string) => boolean {
  const { cluster } = target;
  return (namespace) => namespace === target.namespace || sees(services, principal, { cluster, namespace });
}

/** So many are in the entry; the rest is in Redis for as long as the operation is. */
const mostTold = 50;

function isDenied(name: string): boolean {
  return lineOf(name)?.what === "denied";
}

function told({ name, count, firstAt, atLeast }: Tally): readonly string[] {
  const line = lineOf(name);
  if (line === undefined) return [];
  const often = count === 1 ? "" : `, ${atLeast ? "at least " : ""}${count} times`;
  const direction = line.direction === undefined ? "" : ` (${line.direction})`;
  const when = new Date(firstAt).toISOString();
  return [`${when} ${words[line.what] ?? line.what}: ${lineWords(line, () => true)}${direction}${often}`];
}

const words: Readonly<Record<string, string>> = {
  leak: "got through",
  perhaps: "perhaps got through",
  used: "used it",
  audited: "let through by an audit mode",
};
