import { describe, expect, test } from "vitest";
import type { Observed } from "../../src/policy/observed.ts";
import type { ResidualAllow } from "../../src/policy/plan.ts";
import { type Findings, leastOf, observedHeadline, verdict } from "../../src/policy/verdict.ts";

const proved: Findings = {
  mismatch: undefined,
  residual: [],
  enforcement: "enforced",
  unread: [],
  realised: { state: "realised", words: "realised by Antrea" },
  openConnections: "survive",
  plugin: "Antrea",
  pod: { namespace: "payments", pod: "checkout-1", nodeName: "node-1", podIPs: ["10.1.2.3", "fd00::3"] },
};

const metrics: ResidualAllow = {
  policy: "allow-metrics",
  allows: "in from monitoring/prometheus on TCP 9090",
  sure: true,
  claim: "policy allow-metrics still lets monitoring/prometheus in on 9090",
};
const perhaps: ResidualAllow = {
  policy: "by-address",
  allows: "perhaps in from shop/web on all ports (engines differ)",
  sure: false,
  claim: "whether policy by-address still lets shop/web in on all ports is not decided",
};
const early: ResidualAllow = { policy: "allow-dns", allows: "out to anywhere on UDP 53" };

describe("the headline claims nothing that is not proved (invariant 5)", () => {
  const cases: [string, Partial<Findings>, string][] = [
    ["everything is proved", {}, "ISOLATED FOR NEW CONNECTIONS"],
    [
      "the engine has no status",
      { realised: { state: "no-status", words: "this engine has no status" } },
      "ISOLATED FOR NEW CONNECTIONS",
    ],
    [
      "a policy still allows",
      { residual: [metrics] },
      "NOT ISOLATED: policy allow-metrics still lets monitoring/prometheus in on 9090",
    ],
    [
      "three policies still allow and one does perhaps",
      { residual: [metrics, early, { ...early, policy: "x" }, perhaps] },
      "NOT ISOLATED: policy allow-metrics still lets monitoring/prometheus in on 9090, and 2 more policies",
    ],
    [
      "a policy still allows and enforcement is not known",
      { residual: [metrics], enforcement: "unknown" },
      "NOT ISOLATED: policy allow-metrics still lets monitoring/prometheus in on 9090",
    ],
    [
      "an early record says only which policy",
      { residual: [early] },
      "NOT ISOLATED: policy allow-dns still lets traffic through",
    ],
    [
      "enforcement is not known",
      { enforcement: "unknown" },
      "UNKNOWN: this cluster's CNI is not known to enforce NetworkPolicy",
    ],
    [
      "nothing enforces",
      { enforcement: "not-enforced", residual: [metrics] },
      "NOT ISOLATED: this cluster is known not to enforce NetworkPolicy",
    ],
    [
      "a policy allows perhaps",
      { residual: [perhaps] },
      "UNKNOWN: whether policy by-address still lets shop/web in on all ports is not decided",
    ],
    [
      "policies could not be read",
      { unread: ["CiliumNetworkPolicies", "Tiers"] },
      "UNKNOWN: CiliumNetworkPolicies and 1 more could not be read",
    ],
    [
      "the engine says that it failed",
      { realised: { state: "failed", words: "Antrea says that it failed on node-1" }, residual: [perhaps] },
      "NOT ISOLATED: Antrea says that it failed on node-1",
    ],
    [
      "the engine is not ready in time",
      { realised: { state: "not-in-time", words: "Antrea has not realised it on 1 of 3 nodes in 10 s" } },
      "UNKNOWN: Antrea has not realised it on 1 of 3 nodes in 10 s",
    ],
    [
      "the read-back differs, whatever else",
      { mismatch: "the policy is gone again", residual: [metrics], enforcement: "not-enforced" },
      "NOT ISOLATED: the policy is gone again",
    ],
  ];
  test.each(cases)("where %s", (_, changes, headline) => {
    expect(verdict({ ...proved, ...changes }).headline).toBe(headline);
  });

  test("is 'isolated' only where every finding says so", () => {
    const doubts: readonly (readonly Partial<Findings>[])[] = [
      [{}, { enforcement: "not-enforced" }, { enforcement: "unknown" }],
      [{}, { residual: [metrics] }, { residual: [perhaps] }, { residual: [early] }],
      [{}, { mismatch: "x" }],
      [{}, { unread: ["Tiers"] }],
      [{}, { realised: { state: "failed", words: "x" } }, { realised: { state: "not-in-time", words: "x" } }],
    ];
    const all = doubts.reduce<readonly Partial<Findings>[]>(
      (sum, each) => sum.flatMap((some) => each.map((one) => ({ ...some, ...one }))),
      [{}],
    );
    expect(all).toHaveLength(144);
    expect(all.filter((changes) => verdict({ ...proved, ...changes }).state === "isolated")).toEqual([{}]);
  });

  test("a headline is never longer than Slack's header", () => {
    const { headline } = verdict({ ...proved, unread: ["x".repeat(148) + "😀".repeat(10)] });
    expect(headline.length).toBeLessThanOrEqual(150);
    expect(headline.isWellFormed()).toBe(true);
  });
});

describe("what flows have shown", () => {
  const at = Date.UTC(2026, 0, 1, 14, 0, 0);
  const looked: Observed = { since: at, at, tells: "forwarded" };
  const times = { atLeast: false, firstAt: at, lastAt: at + 3_000 };
  const denied = { ...times, count: 3 };
  const evidence = ["payments/checkout-1 → 203.0.113.9 TCP 443"];
  const leak = { ...times, count: 12, sure: true, evidence };
  const headlines: [string, Observed, string | undefined][] = [
    ["nothing", looked, undefined],
    ["denied attempts", { ...looked, denied }, undefined],
    [
      "that something got through",
      { ...looked, leak },
      "NOT ISOLATED: payments/checkout-1 → 203.0.113.9 TCP 443 got through, 12 connections, last at 14:00:03 UTC",
    ],
    [
      "that something may have got through",
      { ...looked, leak: { ...leak, sure: false } },
      "UNKNOWN: payments/checkout-1 → 203.0.113.9 TCP 443 got through, perhaps on a connection that was open before",
    ],
    [
      "that it was denied a moment later",
      { ...looked, leak, denied: { ...denied, lastAt: at + 10_000 } },
      "NOT ISOLATED: payments/checkout-1 → 203.0.113.9 TCP 443 got through, 12 connections, last at 14:00:03 UTC",
    ],
    [
      "that it was denied long after",
      { ...looked, leak, denied: { ...denied, lastAt: at + 600_000 } },
      "UNKNOWN: 12 connections got through until 14:00:03 UTC, and it was denied since",
    ],
  ];
  test.each(headlines)("%s", (_name, observed, headline) => {
    expect(observedHeadline(observed, 0)).toBe(headline);
    expect(verdict({ ...proved, observed }).headline).toBe(headline ?? "ISOLATED FOR NEW CONNECTIONS");
  });

  test("what got through before something was put back is not said again", () => {
    expect(observedHeadline({ ...looked, leak }, at + 4_000)).toBeUndefined();
  });

  test.each([
    [{ ...looked, tells: "nothing" } as const, "Observed: no flow source."],
    [looked, "Observed: not known, no flow of it was seen yet. Silence is no proof."],
    [
      { ...looked, denied },
      "Observed: 3 attempts were denied, last at 2026-01-01 14:00:03 UTC, none was seen to get through.",
    ],
    [
      { ...looked, tells: "denied", denied } as const,
      "Observed: 3 attempts were denied, last at 2026-01-01 14:00:03 UTC. What gets through is not seen: the flow source tells only what is denied.",
    ],
    [
      { ...looked, leak: { ...leak, atLeast: true } },
      "Observed: NO, at least 12 connections got through, last at 2026-01-01 14:00:03 UTC.",
    ],
  ])("%#: is a line of its own", (observed, line) => {
    expect(verdict({ ...proved, observed }).lines.at(-1)).toBe(line);
  });

  test("never makes a claim stronger than another", () => {
    expect(leastOf(["UNKNOWN: a", "NOT ISOLATED: b", "ISOLATED FOR NEW CONNECTIONS"])).toBe("NOT ISOLATED: b");
    expect(leastOf([undefined, "UNKNOWN: a", "UNKNOWN: b"])).toBe("UNKNOWN: a");
    expect(leastOf([undefined])).toBeUndefined();
  });
});

describe("the lines below it", () => {
  test("say first what open connections do, then what is simulated, realised and observed", () => {
    expect(verdict(proved).lines).toEqual([
      "Open connections are NOT cut on Antrea: policy is asked only when a connection begins.",
      "Simulated: nothing connects but the configured endpoints and its own node.",
      "Realised: yes, realised by Antrea.",
      "Observed: no flow source.",
    ]);
  });

  test("count what was found and what was not read", () => {
    const { lines } = verdict({ ...proved, residual: [metrics, perhaps], unread: ["Tiers"] });
    expect(lines[1]).toBe(
      "Simulated: 1 policy still lets traffic through; of 1 policy that is not decided; not read were Tiers.",
    );
  });

  test("offer commands with the pod's own names, and none where nothing is open", () => {
    expect(verdict(proved).steps).toEqual([
      "To close the pod's sockets, from a container beside it: kubectl debug -n payments checkout-1 -it --profile=netadmin --image=nicolaka/netshoot -- ss -tuK",
      "To make the node forget them (not where eBPF keeps its own table): kubectl debug node/node-1 -it --profile=sysadmin --image=nicolaka/netshoot -- sh -c 'conntrack -D -s 10.1.2.3; conntrack -D -d 10.1.2.3; conntrack -D -f ipv6 -s fd00::3; conntrack -D -f ipv6 -d fd00::3'",
      "To end them with the pod and the evidence in it: kubectl delete pod -n payments checkout-1",
    ]);
    expect(verdict({ ...proved, openConnections: "cut" }).steps).toEqual([]);
    expect(verdict({ ...proved, openConnections: "unknown" }).steps).toHaveLength(3);
  });

  test("put nothing into a command that a shell could read", () => {
    const hostile = ["x; reboot", "$(reboot)", "-rf", "a'b", "a b", "A", ""];
    for (const name of hostile) {
      const steps = [{ namespace: name }, { pod: name }, { nodeName: name }, { podIPs: [name] }].flatMap(
        (changes) => verdict({ ...proved, pod: { ...proved.pod, ...changes } }).steps,
      );
      if (name !== "A") expect(steps.filter((step) => name !== "" && step.includes(name))).toEqual([]);
      expect(steps.filter((step) => !/^[\w ,;:.()/'=-]+$/.test(step))).toEqual([]);
    }
  });
});
