import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { MeterEvent } from "./commands/services.ts";
import type { Net } from "./commands/tell-gone.ts";
import { createFlowMetrics, type FlowMetrics } from "./flow-metrics.ts";
import type { OperationKind } from "./policy/operation.ts";
import { createSpikeMetrics, type SpikeMetrics } from "./spike-metrics.ts";
import { createStandingMetrics, type StandingMetrics } from "./standing-metrics.ts";

export type Metrics = {
  meter(event: MeterEvent): void;
  ack(ms: number): void;
  slackEvent(name: string): void;
  /** How many settings of Redis are not as they have to be. */
  storeProblems(count: number): void;
  /** How many things are wrong with the files of templates. */
  templateProblems(count: number): void;
  /** How long after a replica saw a change of a policy it was recorded. */
  recorded(lagMs: number): void;
  /** How many sights of a cluster's policies are not recorded yet. */
  unrecorded(cluster: string, count: number): void;
  /** So many waited that they were forgotten, and compared instead. */
  recorderOverflow(cluster: string): void;
  readonly flows: FlowMetrics;
  readonly standing: StandingMetrics;
  readonly spikes: SpikeMetrics;
  /** Text in the Prometheus exposition format, and its content type. */
  text(): Promise<string>;
  readonly contentType: string;
};

/** Every metric of Bulkhead. Labels come from closed sets only, but for a few names of what is denied most where `names` says so. */
export function createMetrics({ names }: { readonly names: boolean } = { names: false }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const ack = histogram(registry, "bulkhead_ack_seconds", "Arrival to acknowledgement", []);
  const store = gauge(registry, "bulkhead_store_problems", "Wrong settings of Redis", []);
  const templates = gauge(registry, "bulkhead_template_problems", "What is wrong with allowlist templates", []);
  const slack = counter(registry, "bulkhead_slack_events_total", "Events of the Slack edge", ["event"]);
  const lag = histogram(registry, "bulkhead_history_lag_seconds", "A change of a policy seen to recorded", []);
  const waiting = gauge(registry, "bulkhead_history_waiting", "Sights of policies not recorded yet", ["cluster"]);
  const overflows = counter(registry, "bulkhead_history_overflows_total", "Sights forgotten, and compared", [
    "cluster",
  ]);
  return {
    meter: createMeter(registry),
    recorded: (lagMs) => lag.observe(Math.max(0, lagMs) / 1_000),
    unrecorded: (cluster, count) => waiting.set({ cluster }, count),
    recorderOverflow: (cluster) => overflows.inc({ cluster }),
    ack: (ms) => ack.observe(ms / 1_000),
    storeProblems: (count) => store.set(count),
    templateProblems: (count) => templates.set(count),
    slackEvent: (name) => slack.inc({ event: name }),
    flows: createFlowMetrics(registry),
    standing: createStandingMetrics(registry),
    spikes: createSpikeMetrics(registry, names),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

const kinds: readonly OperationKind[] = ["quarantine", "lockdown", "release", "allowance", "undo"];
const nets: readonly Net[] = ["timer", "memory", "sweep", "reaper"];

function createMeter(registry: Registry): Metrics["meter"] {
  const commands = counter(registry, "bulkhead_commands_total", "Commands and presses", ["verb", "outcome"]);
  const refusals = counter(registry, "bulkhead_refusals_total", "Refusals of known people", ["verb"]);
  const errors = counter(registry, "bulkhead_errors_total", "What broke, by where", ["where"]);
  const takeovers = counter(registry, "bulkhead_takeovers_total", "Operations taken over, by state", ["state"]);
  const late = histogram(registry, "bulkhead_allowance_lateness_seconds", "End of an allowance to its close", ["net"]);
  const overdue = gauge(registry, "bulkhead_allowances_overdue", "Objects of allowances past their end", ["cluster"]);
  const oldest = gauge(registry, "bulkhead_allowance_oldest_overdue_seconds", "The oldest of those", ["cluster"]);
  const labels = ["verb", "step"];
  const command = histogram(registry, "bulkhead_step_since_command_seconds", "Command to each step", labels);
  const confirm = histogram(registry, "bulkhead_step_since_confirm_seconds", "Confirmation to each step", labels);
  // What was never 0 has no rise, and some are done once a week.
  for (const verb of kinds) for (const one of [command, confirm]) one.zero({ verb, step: "read back" });
  for (const net of nets) late.zero({ net });
  return (event) => {
    if (event.kind === "command") commands.inc({ verb: event.verb, outcome: event.outcome });
    if (event.kind === "refusal") refusals.inc({ verb: event.verb });
    if (event.kind === "takeover") takeovers.inc({ state: event.state });
    if (event.kind === "closed") late.observe({ net: event.net }, Math.max(0, event.lateMs) / 1_000);
    if (event.kind === "overdue") {
      overdue.set({ cluster: event.cluster }, event.count);
      oldest.set({ cluster: event.cluster }, event.oldestMs / 1_000);
    }
    if (event.kind === "error") errors.inc({ where: event.where });
    if (event.kind !== "step") return;
    command.observe({ verb: event.verb, step: event.step }, event.sinceCommandMs / 1_000);
    confirm.observe({ verb: event.verb, step: event.step }, event.sinceConfirmMs / 1_000);
  };
}

function counter(registry: Registry, name: string, help: string, labelNames: string[]): Counter {
  return new Counter({ name, help, labelNames, registers: [registry] });
}

function gauge(registry: Registry, name: string, help: string, labelNames: string[]): Gauge {
  return new Gauge({ name, help, labelNames, registers: [registry] });
}

function histogram(registry: Registry, name: string, help: string, labelNames: string[]): Histogram {
  const buckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
  return new Histogram({ name, help, labelNames, buckets, registers: [registry] });
}
