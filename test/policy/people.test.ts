import { describe, expect, test } from "vitest";
import { keysOf, personOf, samePerson } from "../../src/policy/people.ts";
import type { Principal } from "../../src/policy/principal.ts";

const people = [
  { name: "jane", ids: ["slack:T1/U1", "slack:T2/U9", "terminal:jane@corp"] },
  { name: "mary", ids: ["slack:T1/U5"] },
];

function slack(user: string, displayName?: string, team = "T1"): Principal {
  return { kind: "slack", enterprise: undefined, team, user, displayName };
}

function terminal(user: string | undefined): Principal {
  return { kind: "terminal", user, source: user === undefined ? "unknown" : "self-subject-review" };
}

describe("all keys of a principal", () => {
  test("are its own, its person's and its groups'", () => {
    const inGroup = { ...slack("U9", "j", "T2"), groups: ["slack-group:T2/S1"] } as Principal;
    expect(keysOf(people, inGroup)).toEqual(["slack:T2/U9", "person:jane", "slack-group:T2/S1"]);
    expect(keysOf(people, terminal("jane@corp"))).toEqual(["terminal:jane@corp", "person:jane"]);
    expect(keysOf([], { kind: "in-pod" })).toEqual(["in-pod"]);
  });

  test("are none for a terminal whose user nobody could tell", () => {
    expect(keysOf([{ name: "x", ids: ["terminal:undefined"] }], terminal(undefined))).toEqual([]);
  });

  test("A display name maps nobody to a person", () => {
    expect(personOf(people, slack("U77", "jane"))).toBeUndefined();
    expect(keysOf(people, slack("U77", "slack:T1/U1"))).toEqual(["slack:T1/U77"]);
  });
});

describe("one human being (invariant 8)", () => {
  test.each<[string, Principal, Principal, boolean]>([
    ["the same id", slack("U3"), slack("U3"), true],
    ["two ids of one person", slack("U1", "Jane"), terminal("jane@corp"), true],
    ["two people who are called the same", slack("U1", "Jane"), slack("U5", "Jane"), false],
    ["two people", slack("U1", "Jane"), slack("U5", "Mary"), false],
    ["two ids that nobody mapped and that do not look alike", slack("U3", "Tom"), slack("U4", "Eve"), false],
    ["the same Slack user in two workspaces", slack("U3"), slack("U3", undefined, "T7"), true],
    ["an unmapped id that bears the requester's display name", slack("U3", "Jane Doe"), slack("U4", "jane.doe"), true],
    ["an unmapped id named like the mapped person", slack("U1", "JD"), slack("U4", "Jane"), true],
    ["an unmapped terminal named like one of the person's ids", slack("U1", "JD"), terminal("jane@home"), true],
    ["initials", slack("U3", "Jane Doe"), terminal("jdoe@corp.example"), true],
    ["accents and case", slack("U3", "JÁNE DOE"), slack("U4", "jane doe"), true],
    ["a first name alone", slack("U3", "Jane Doe"), terminal("jane"), true],
    ["people who share a first name only", slack("U3", "Jane Doe"), slack("U4", "Jane Smith"), false],
    ["names without a letter", slack("U3", "!!!"), slack("U4", "???"), false],
    ["the shared principal of the container", slack("U3", "Tom"), { kind: "in-pod" }, true],
    ["a terminal whose user nobody could tell", slack("U3", "Tom"), terminal(undefined), true],
    ["the scheduler and a person", { kind: "scheduler" }, slack("U3", "scheduler"), false],
  ])("%s", (_, a, b, same) => {
    expect(samePerson(people, a, b)).toBe(same);
    expect(samePerson(people, b, a)).toBe(same);
  });
});
