import { expect, test } from "vitest";
import type { Principal } from "../../src/policy/principal.ts";
import type { Person } from "../../src/slack/people.ts";
import { vouchFor } from "../../src/slack/vouch.ts";

const alice: Extract<Principal, { kind: "slack" }> = {
  kind: "slack",
  enterprise: undefined,
  team: "T1",
  user: "U1",
  displayName: "alice",
  groups: ["slack-group:T1/S9"],
};
const person: Extract<Person, { found: true }> = {
  found: true,
  displayName: "alice",
  enterprise: undefined,
  teams: ["T1"],
  unfit: undefined,
  stranger: false,
};

function vouch(known: Person | Error, groups: readonly string[] | Error = [], principal = alice) {
  const answer = <T>(value: T | Error) => (value instanceof Error ? Promise.reject(value) : Promise.resolve(value));
  return vouchFor(principal, {
    people: { person: () => answer(known), ownTeam: () => Promise.resolve("T1") },
    groups: { sure: () => answer(groups) },
    teams: undefined,
  });
}

test("The groups are those of now", async () => {
  expect(await vouch(person, ["slack-group:T1/S1"])).toEqual({ ...alice, groups: ["slack-group:T1/S1"] });
  expect(await vouch(person)).not.toHaveProperty("groups");
});

test.for<readonly [Person, string]>([
  [{ found: false }, "Slack knows nobody of ours by that id"],
  [{ ...person, stranger: true }, "Slack knows nobody of ours by that id"],
  [{ ...person, teams: ["T2"] }, "that account belongs to another organisation"],
  [{ ...person, unfit: "a deactivated account" }, "that is a deactivated account now"],
])("%j is nobody any more", async ([known, why]) => {
  expect(await vouch(known)).toEqual({ why });
});

test("A workspace that is not one of ours any more has nobody", async () => {
  expect(await vouch(person, [], { ...alice, team: "T2" })).toEqual({ why: "Slack knows nobody of ours by that id" });
});

test("Where Slack does not answer, nobody can say", async () => {
  await expect(vouch(new Error("away"))).rejects.toThrow("away");
  await expect(vouch(person, new Error("away"))).rejects.toThrow("away");
});
