import { type PortSet, portsByProtocol } from "../simulator/ports.ts";
import { portWords, section } from "./connection-rows.ts";
import type { ChangedRow, Difference } from "./diff.ts";

/** For people: what opens, what closes, what is no longer sure. */
export function differenceText({ rows, added, removed }: Difference): string {
  const mark = (name: string): string =>
    added.includes(name) ? `${name} (new)` : removed.includes(name) ? `${name} (gone)` : name;
  const part = (title: string, ports: (row: ChangedRow) => PortSet): readonly string[] =>
    section(
      title,
      rows
        .filter((row) => ports(row).length > 0)
        .map((row) => `${mark(row.from)} → ${mark(row.to)}  ${portWords(ports(row))}`),
    );
  const lines = [
    ...section("New workloads:", added),
    ...section("Workloads that are gone:", removed),
    ...part("Opens:", ({ opened }) => opened),
    ...part("Closes:", ({ closed: shut }) => shut),
    ...part("Cannot be decided any more:", ({ unsure }) => unsure),
  ];
  return lines.length === 0 ? "Nothing opens and nothing closes.\n" : `${lines.slice(1).join("\n")}\n`;
}

/** For programs: `changes` has a row a pair, with only those of `opened`, `closed` and `unsure` that have ports. */
export function differenceJson({ rows, added, removed }: Difference): string {
  const changes = rows.map(({ from, to, ...sets }) => ({
    from,
    to,
    ...Object.fromEntries(
      Object.entries(sets)
        .filter(([, ports]) => ports.length > 0)
        .map(([name, ports]) => [name, portsByProtocol(ports)]),
    ),
  }));
  return `${JSON.stringify({ changes, workloads: { added, removed } })}\n`;
}
