import type { FlowSourceState } from "../flows/flow-source.ts";
import { formatDuration } from "../policy/duration.ts";
import type { Services } from "./services.ts";

/** How the flow sources of a cluster stand, a line each; none where flows are not configured. */
export function flowSourceLines({ flows, now }: Pick<Services, "flows" | "now">, cluster: string): readonly string[] {
  if (flows === undefined) return [];
  return flows.sources().flatMap((source) => (source.cluster === cluster ? [lineOf(source, now())] : []));
}

function lineOf(source: FlowSourceState, nowMs: number): string {
  const formats = source.formats.length === 0 ? "" : ` (${source.formats.join(", ")})`;
  return source.kind === "push" ? pushed(source, formats, nowMs) : pulled(source, formats, nowMs);
}

function pushed({ cluster, lastFlowMs }: FlowSourceState, formats: string, nowMs: number): string {
  if (lastFlowMs !== undefined) return `flows are posted${formats}, ${since(lastFlowMs, nowMs)}`;
  return `WARNING: nobody has posted flows to /flows/${cluster} yet: look at the agent that ships them`;
}

function pulled({ name, kind, state, why, lastFlowMs }: FlowSourceState, formats: string, nowMs: number): string {
  const source = `flow source ${name}, ${kinds[kind]}`;
  const last = lastFlowMs === undefined ? "no flow came yet" : since(lastFlowMs, nowMs);
  if (state === "connected" && why === undefined) return `${source}: connected${formats}, ${last}`;
  if (state === "connected") return `WARNING: ${source}: connected${formats}, ${last}, but ${why}`;
  if (state === "failing") return `WARNING: ${source}: does NOT tell: ${why ?? "no reason is known"} (${last})`;
  if (state === "connecting") return `${source}: is being connected (${last})`;
  return `${source}: goes from one replica to another (${last})`;
}

const kinds: Record<FlowSourceState["kind"], string> = {
  "hubble-relay": "Hubble Relay",
  goldmane: "Goldmane",
  loki: "Loki",
  push: "posted",
};

function since(lastFlowMs: number, nowMs: number): string {
  return `last flow ${formatDuration(Math.max(0, nowMs - lastFlowMs))} ago`;
}
