import type { FlowSourceConfig } from "./config-flows.ts";
import { type Turn, type TurnOptions, takeTurns } from "./flow-turn.ts";
import type { FlowSource, FlowSourceState } from "./flows/flow-source.ts";
import { followGoldmane } from "./flows/goldmane-stream.ts";
import { followHubbleRelay } from "./flows/hubble-relay.ts";
import type { Interests } from "./flows/interests.ts";
import { pollLoki } from "./flows/loki.ts";
import type { FlowSink } from "./flows/sink.ts";

/** What every source is given. */
export type SourceWiring = Omit<TurnOptions, "source" | "open"> & {
  readonly sinkFor: (kind: FlowSourceState["kind"]) => FlowSink;
  readonly interests: Interests;
  readonly onState: (state: FlowSourceState) => void;
};

/** Asks the source that configuration names, while it is this replica's turn. */
export function startFlowSource(config: FlowSourceConfig, wiring: SourceWiring): Turn {
  const { name, cluster, kind } = config;
  return takeTurns({
    ...wiring,
    source: { name, cluster, kind },
    open: (sinceMs, holds) =>
      openSource(config, sinceMs, { ...wiring, sinkFor: (of) => whileHolding(wiring.sinkFor(of), holds) }),
  });
}

function whileHolding(sink: FlowSink, holds: () => boolean): FlowSink {
  return { take: (cluster, items) => holds() && sink.take(cluster, items) };
}

function openSource(config: FlowSourceConfig, sinceMs: number | undefined, wiring: SourceWiring): FlowSource {
  const { name, cluster, kind, tls } = config;
  const { sinkFor, interests, now, onState } = wiring;
  const common = { name, cluster, tls, sink: sinkFor(kind), interests, sinceMs, now, onState };
  if (config.kind === "loki") {
    const { url, query, tenant, every, tokenFile, username, passwordFile } = config;
    return pollLoki({ ...common, url, query, tenant, everyMs: every, tokenFile, username, passwordFile });
  }
  const options = { ...common, address: config.address };
  return config.kind === "hubble-relay" ? followHubbleRelay(options) : followGoldmane(options);
}
