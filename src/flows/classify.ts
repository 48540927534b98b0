import type { FlowClass } from "./flow-key.ts";
import { isLocalNoise } from "./places.ts";
import type { FlowRecord } from "./record.ts";
import type { Resolved } from "./resolve.ts";

/** A record with its ends, and what is known of ports and changes there. */
export type Classified = {
  readonly record: FlowRecord;
  readonly from: Resolved;
  readonly to: Resolved;
  /** Whether some Service has or leads to that port. */
  readonly isServicePort: (port: number) => boolean;
  /** Whether a policy that concerns either end changed a moment ago (settled.ts). */
  readonly isSettling: boolean;
};

/** Linux hands these out to whoever connects (ip(7), ip_local_port_range: 32768 to 60999); others start lower, none below 1024. */
const firstEphemeral = 32_768;
/** A pod's network is not complete everywhere as soon as it runs: what it is denied meanwhile is no news. */
const podSettlesMs = 60_000;
/** Clocks of nodes and of the API server differ. */
const skewMs = 2_000;
/** cilium-health asks nodes and its own endpoints there (facts: denied-flows §7, #18437). */
const healthPort = 4240;

/** What the record counts as (facts: denied-flows §7, "rules to derive"); undefined for what was forwarded. */
export function classify(flow: Classified): FlowClass | undefined {
  const { verdict } = flow.record;
  if (verdict.kind === "forwarded") return undefined;
  if (verdict.kind === "dropped") return "not-policy";
  if (isMulticast(flow)) return "multicast";
  if (isProbe(flow)) return "probe";
  if (isReply(flow)) return "reply";
  if (verdict.kind === "audited") return "audited";
  return flow.isSettling || isStarting(flow) ? "settling" : "denied";
}

export function isEphemeral(port: number): boolean {
  return port >= firstEphemeral;
}

function isMulticast({ record: { from, to } }: Classified): boolean {
  return [from.address, to.address].some((address) => address !== undefined && isLocalNoise(address));
}

/** From or to the network plugin's own health checks; or from the node on which the pod is, as its kubelet's come. */
function isProbe({ record, from, to }: Classified): boolean {
  if (record.from.entity === "health" || record.to.entity === "health") return true;
  if (from.place.kind !== "node") return false;
  if (record.toPort === healthPort) return true;
  if (to.tenant === undefined) return record.from.entity === "host" && to.place.kind === "workload";
  return record.from.entity === "host" || (from.tenant === undefined && record.from.address === to.tenant.hostIP);
}

/**
 * What comes from the port of a service and goes to one that is handed out, as of DNS or of what is scraped: engines that
 * have forgotten the connection report it as a new one, and say so too (facts: denied-flows §7, #41045). Only a SYN is
 * none. Who connects has a port that is handed out, or one that nobody serves.
 */
function isReply({ record: { isReply: said, isNew, fromPort, toPort }, isServicePort }: Classified): boolean {
  if (said === true) return true;
  if (isNew === true || fromPort === undefined || toPort === undefined) return false;
  if (fromPort === 0 || isServicePort(toPort)) return false;
  return !isEphemeral(fromPort) && isEphemeral(toPort);
}

function isStarting({ record: { fromMs, toMs }, from, to }: Classified): boolean {
  return [from, to].some(
    ({ tenant }) => tenant !== undefined && tenant.startMs - skewMs <= toMs && fromMs < tenant.startMs + podSettlesMs,
  );
}
