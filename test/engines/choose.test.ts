import { expect, test } from "vitest";
import { chooseEngine } from "../../src/engines/choose.ts";
import { type DenyEngine, type Detection, denyEngines } from "../../src/policy/engine.ts";

type State = Detection["engines"][number]["state"];

function detection(states: Partial<Record<DenyEngine, State>>): Detection {
  return {
    engines: denyEngines.map((engine) => ({
      engine,
      served: engine === "networkpolicy" || states[engine] !== undefined,
      state: states[engine] ?? "not-enforced",
      because: `Because of ${engine}.`,
    })),
    plugin: undefined,
    openConnections: "unknown",
    simulated: { engine: undefined, ipBlockMatchesPods: "unknown" },
    ways: { served: [], calicoTiers: [], writesCalicoStorage: false },
  };
}

test("The strongest engine that is known to be enforced is taken, and NetworkPolicy where none is", () => {
  const strongest = { cilium: "unknown", antrea: "enforced", networkpolicy: "enforced" } as const;
  expect(chooseEngine(detection(strongest), undefined)).toEqual({ engine: "antrea", warnings: [] });
  expect(chooseEngine(detection({ cilium: "not-enforced" }), undefined)).toEqual({
    engine: "networkpolicy",
    warnings: [],
  });
});

test("An engine that is asked for is taken, with a warning unless it is known to be enforced", () => {
  const known = detection({ cilium: "enforced", calico: "unknown", antrea: "not-enforced", networkpolicy: "enforced" });
  expect(chooseEngine(known, "networkpolicy")).toEqual({ engine: "networkpolicy", warnings: [] });
  expect(chooseEngine(known, "calico")).toEqual({
    engine: "calico",
    warnings: ["calico is not known to be enforced here, and was asked for. Because of calico."],
  });
  expect(chooseEngine(known, "antrea")).toMatchObject({ warnings: [expect.stringContaining("is not enforced here")] });
});

test("An engine that is not served is refused, by the names of those that are", () => {
  expect(chooseEngine(detection({ cilium: "enforced" }), "antrea")).toEqual({
    kind: "refusal",
    reason: "engine antrea cannot be used here. Because of antrea",
    next: "Choose one of cilium, networkpolicy, or leave --engine out: then it is the strongest that is enforced.",
  });
});
