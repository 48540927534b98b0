import { describe, expect, test } from "vitest";
import { chooseCluster, type KnownClusters, type Sighting, soleHolder } from "../../src/policy/choose-cluster.ts";

const names = ["eu", "us"];
const known: KnownClusters = { names, channels: { C1: "us" }, defaultCluster: "eu" };
const without: KnownClusters = { names, channels: {}, defaultCluster: undefined };

describe("the cluster that is meant", () => {
  test.each<[string, KnownClusters, { readonly named?: string; readonly channel?: string }, string]>([
    ["a named one, whatever the channel says", known, { named: "eu", channel: "C1" }, "eu"],
    ["the channel's, before the default", known, { channel: "C1" }, "us"],
    ["the default, in another channel", known, { channel: "C2" }, "eu"],
    ["the default, without a channel", known, {}, "eu"],
    ["the only one", { ...without, names: ["eu"] }, { channel: "C2" }, "eu"],
  ])("is %s", (_, given, { named, channel }, cluster) => {
    expect(chooseCluster(given, { named, channel })).toEqual({ kind: "chosen", cluster });
  });

  test("is unknown where the name is none of ours, and a default does not make up for it", () => {
    expect(chooseCluster(known, { named: "uk", channel: "C1" })).toEqual({ kind: "unknown", name: "uk" });
    expect(chooseCluster({ ...without, names: ["eu"] }, { named: "uk", channel: undefined }).kind).toBe("unknown");
  });

  test("has to be looked for where nothing says it", () => {
    expect(chooseCluster(without, { named: undefined, channel: "C1" })).toEqual({ kind: "search" });
    expect(chooseCluster(without, { named: undefined, channel: "constructor" })).toEqual({ kind: "search" });
  });
});

describe("what was found", () => {
  const yes = (cluster: string): Sighting => ({ cluster, holds: true });
  const no = (cluster: string): Sighting => ({ cluster, holds: false });
  const down = (cluster: string): Sighting => ({ cluster, holds: "unknown", why: "no answer within 3 s" });
  const wanted = "payments/checkout-7d9f";

  test("is the one cluster that holds it where all answered", () => {
    expect(soleHolder([no("eu"), yes("us"), no("ap")], wanted)).toBe("us");
  });

  test.each<[string, readonly Sighting[], RegExp, RegExp]>([
    [
      "several hold it",
      [yes("eu"), no("ap"), yes("us")],
      /^eu and us hold/,
      /eu:payments\/checkout-7d9f or us:payments/,
    ],
    ["several hold it and one is down", [yes("eu"), yes("us"), down("ap")], /^eu and us hold/, /^Type eu:payments/],
    [
      "one holds it and another is down",
      [yes("eu"), down("us")],
      /cluster us could not be asked .*no answer within 3 s/,
      /eu:payments\/checkout-7d9f or us:payments/,
    ],
    ["none holds it and one is down", [no("eu"), down("us")], /cluster us could not be asked/, /: us:payments\/check/],
    ["all are down", [down("eu"), down("us")], /cluster eu could not.*cluster us could not/, /eu:pay.* or us:pay/],
    ["none holds it", [no("eu"), no("us")], /in none of the clusters eu and us/, /Check the name/],
  ])("is refused where %s, with what to type", (_, sightings, reason, next) => {
    const answer = soleHolder(sightings, wanted);
    expect(answer).toMatchObject({
      kind: "refusal",
      reason: expect.stringMatching(reason),
      next: expect.stringMatching(next),
    });
  });
});
