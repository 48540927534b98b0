import { expect, test } from "vitest";
import type { FlowServices } from "../../src/commands/flow-services.ts";
import { flowSourceLines } from "../../src/commands/flow-status.ts";
import type { FlowSourceState } from "../../src/flows/flow-source.ts";

const relay: FlowSourceState = {
  name: "hubble",
  cluster: "eu",
  kind: "hubble-relay",
  state: "connected",
  why: undefined,
  formats: ["hubble"],
  lastFlowMs: 57_000,
};
const push: FlowSourceState = { ...relay, name: "push", kind: "push" };

function linesOf(...states: readonly FlowSourceState[]): readonly string[] {
  const flows: Pick<FlowServices, "sources"> = { sources: () => states };
  return flowSourceLines({ flows: flows as FlowServices, now: () => 60_000 }, "eu");
}

test.for<readonly [FlowSourceState, string]>([
  [relay, "flow source hubble, Hubble Relay: connected (hubble), last flow 3 s ago"],
  [
    { ...relay, why: "2 nodes do not answer it" },
    "WARNING: flow source hubble, Hubble Relay: connected (hubble), last flow 3 s ago, but 2 nodes do not answer it",
  ],
  [
    { ...relay, kind: "goldmane", state: "failing", why: "the connection was refused", lastFlowMs: undefined },
    "WARNING: flow source hubble, Goldmane: does NOT tell: the connection was refused (no flow came yet)",
  ],
  [
    { ...relay, kind: "loki", state: "connecting", lastFlowMs: undefined },
    "flow source hubble, Loki: is being connected (no flow came yet)",
  ],
  [
    { ...relay, state: "elsewhere" },
    "flow source hubble, Hubble Relay: goes from one replica to another (last flow 3 s ago)",
  ],
  [{ ...push, formats: ["ovn", "gke"] }, "flows are posted (ovn, gke), last flow 3 s ago"],
  [
    { ...push, formats: [], lastFlowMs: undefined },
    "WARNING: nobody has posted flows to /flows/eu yet: look at the agent that ships them",
  ],
])("%j is told so", ([state, line]) => {
  expect(linesOf(state)).toEqual([line]);
});

test("Sources of other clusters are theirs to tell, and without flows there is nothing", () => {
  expect(linesOf({ ...relay, cluster: "us" })).toEqual([]);
  expect(flowSourceLines({ now: () => 0 }, "eu")).toEqual([]);
});
