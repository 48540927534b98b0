import type { Place } from "../flows/place.ts";
import type { FlowUnit } from "../flows/record.ts";
import type { ComparedLine } from "./flow-lines.ts";
import { clockWords, type FlowWindow } from "./flow-window.ts";

/** How a line is to be told. */
export type FlowTelling = {
  readonly window: FlowWindow;
  readonly nowMs: number;
  /** Whose workloads are named without it. */
  readonly namespace: string | undefined;
  /** Named where there are several. */
  readonly cluster: string | undefined;
  /** Whether counts are told against those of the same time before. */
  readonly compares: boolean;
  /** Draws what was counted over the time: where letters have one width. */
  readonly draws: boolean;
};

/** `new: checkout → postgres.db:5432  1 240 denied connections, since 14:02, egress`; `because` and whatever follows goes on. */
export function lineWords(line: ComparedLine, because: readonly string[], telling: FlowTelling): string {
  const { key, before } = line;
  const { cluster, draws, compares } = telling;
  const words = [
    `${betweenWords(line, telling.namespace)}  ${countWords(line)}${compares ? changeWords(line) : ""}`,
    sinceWords(line, telling),
    ...(key.direction === undefined ? [] : [key.direction]),
    ...because,
  ].join(", ");
  const where = cluster === undefined ? "" : `${cluster}: `;
  const drawn = draws ? ` ${sparkline(line.steps)}` : "";
  return `${before === 0 ? "new: " : ""}${where}${words}${drawn}`;
}

/** `checkout → postgres.db:5432`, and which name was asked for. */
export function betweenWords(
  { key: { from, to, protocol, port }, dnsQuery }: Pick<ComparedLine, "key" | "dnsQuery">,
  namespace: string | undefined,
): string {
  const asks = dnsQuery === undefined ? "" : ` (asks for ${flowName(dnsQuery)})`;
  const target = placeWords(to, namespace);
  return `${placeWords(from, namespace)} → ${target}${portWords(target, protocol, port)}${asks}`;
}

/** One end for people. Its strings come from outside, and are cut; an edge escapes them. */
export function placeWords(place: Place, namespace: string | undefined): string {
  switch (place.kind) {
    case "workload":
      return place.namespace === namespace
        ? flowName(place.name)
        : `${flowName(place.name)}.${flowName(place.namespace)}`;
    case "node":
      return "a node";
    case "range":
      return flowName(place.cidr);
    case "name":
    case "entity":
      return flowName(place.name);
  }
}

/** On one line, without what cannot be seen, and no longer than a name is. */
export function flowName(text: string): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  return line.length <= 80 ? line : `${line.slice(0, 79).toWellFormed()}…`;
}

function portWords(target: string, protocol: string, port: ComparedLine["key"]["port"]): string {
  const after = protocol === "TCP" || protocol === "unknown" ? "" : `/${protocol.toLowerCase()}`;
  if (port === "many") return ` on many ports${after}`;
  if (port === undefined) return protocol === "unknown" ? "" : ` (${protocol})`;
  return target.includes(":") ? ` port ${port}${after}` : `:${port}${after}`;
}

/** `1 240 denied connections`, and where that may be too few or too many, so. */
function countWords({ count, error, atLeast, unit, key }: ComparedLine): string {
  const exact = error === 0 ? grouped(count) : `${grouped(count - error)} to ${grouped(count)}`;
  const many = atLeast ? `at least ${grouped(count - error)}` : exact;
  const things = unitWords(unit, count);
  return key.class === "audited" ? `${many} ${things} that would be denied` : `${many} denied ${things}`;
}

/** `connections`, or one of them. */
export function unitWords(unit: FlowUnit, count: number): string {
  return count === 1 ? unit.replace(/s$/, "") : unit;
}

/** `1 240`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** Against the same time before; of small changes nothing is said. */
function changeWords({ before, count, error }: ComparedLine): string {
  if (before === undefined || before === 0) return "";
  const times = (count - error) / before;
  if (times >= 2) return ` (×${times < 10 ? times.toFixed(1).replace(/\.0$/, "") : grouped(Math.round(times))})`;
  return count / before <= 0.5 ? ` (down from ${grouped(before)})` : "";
}

function sinceWords({ before, firstMs }: ComparedLine, { window, nowMs }: FlowTelling): string {
  const wasBefore = before !== undefined && before > 0;
  return wasBefore ? `since before ${clockWords(window.fromMs, nowMs)}` : `since ${clockWords(firstMs, nowMs)}`;
}

const bars = "▁▂▃▄▅▆▇█";

/** So many bars stand beside a line. */
const widest = 24;

/** One bar for each of at most 24 equal steps, the highest for the most; a step without any is a point. */
function sparkline(steps: readonly number[]): string {
  const each = Math.max(1, Math.ceil(steps.length / widest));
  const sums = Array.from({ length: Math.ceil(steps.length / each) }, (_, at) =>
    steps.slice(at * each, (at + 1) * each).reduce((sum, count) => sum + count, 0),
  );
  const most = Math.max(...sums, 1);
  return sums.map((sum) => (sum === 0 ? "·" : (bars[Math.ceil((sum / most) * 8) - 1] ?? "▁"))).join("");
}
