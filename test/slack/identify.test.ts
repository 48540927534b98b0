import pino from "pino";
import { describe, expect, test } from "vitest";
import type { Groups } from "../../src/slack/groups.ts";
import { type Identity, identify } from "../../src/slack/identify.ts";
import type { Caller } from "../../src/slack/payload.ts";
import type { Channel, People, Person } from "../../src/slack/people.ts";

const caller: Caller = {
  enterprise: undefined,
  team: "T1",
  user: "U1",
  channel: "C1",
  responseUrl: undefined,
  onEphemeral: false,
  direct: false,
};

const alice: Person = {
  found: true,
  displayName: "Alice",
  enterprise: undefined,
  teams: ["T1"],
  unfit: undefined,
  stranger: false,
};

function people(answers: { person?: Person; channel?: Channel["kind"]; ownTeam?: string } = {}): People {
  return {
    ownTeam: () => Promise.resolve(answers.ownTeam ?? "T1"),
    person: () => Promise.resolve(answers.person ?? alice),
    channel: () => Promise.resolve({ kind: answers.channel ?? "internal" }),
  };
}

const silent = () => Promise.reject(new Error("no answer"));

type Asked = { people?: People; teams?: string[]; caller?: Partial<Caller>; groups?: Pick<Groups, "of"> };

function ask(options: Asked = {}): Promise<Identity> {
  const log = pino({ level: "silent" });
  const { teams, groups = { of: () => Promise.resolve([]) } } = options;
  return identify({ ...caller, ...options.caller }, { people: options.people ?? people(), groups, teams, log });
}

test("A full member in an internal channel is a person, known by ids, with the name as seen", async () => {
  expect(await ask()).toEqual({
    kind: "person",
    principal: { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "Alice" },
    channel: "internal",
  });
});

test("The user groups of a person come with the principal; nobody else's are asked about", async () => {
  const asked: string[] = [];
  const groups = { of: (user: string) => (asked.push(user), Promise.resolve(["slack-group:T1/S1"])) };
  expect(await ask({ groups })).toMatchObject({ principal: { user: "U1", groups: ["slack-group:T1/S1"] } });
  await ask({ groups, people: people({ person: { ...alice, unfit: "a guest account" } }) });
  await ask({ groups, caller: { team: "T9" } });
  expect(asked).toEqual(["U1"]);
});

test("In an organisation, a person of several workspaces is known by the one the call came from", async () => {
  const answer = await ask({
    teams: ["T1", "T2"],
    caller: { team: "T2" },
    people: people({ person: { ...alice, teams: ["T1", "T2"], enterprise: "E1" } }),
  });
  expect(answer).toMatchObject({ kind: "person", principal: { enterprise: "E1", team: "T2", user: "U1" } });
});

test("Where the bot has no view of the channel, the person may go on and answers are private", async () => {
  expect(await ask({ people: people({ channel: "unseen" }) })).toMatchObject({ kind: "person", channel: "unseen" });
  expect(await ask({ caller: { channel: undefined } })).toMatchObject({ kind: "person", channel: "unseen" });
});

describe("turned away", () => {
  test.each(["a bot", "a guest account", "a deactivated account"])("%s, with the reason", async (unfit) => {
    const answer = await ask({ people: people({ person: { ...alice, unfit } }) });
    expect(answer).toMatchObject({ kind: "turned-away", principal: { user: "U1", displayName: "Alice" } });
    expect(answer).toHaveProperty("why", expect.stringContaining(unfit));
  });

  test("a member in a channel that is shared with another organisation", async () => {
    const answer = await ask({ people: people({ channel: "shared" }) });
    expect(answer).toHaveProperty("why", expect.stringContaining("shared with another organisation"));
    expect(answer.kind).toBe("turned-away");
  });

  test.each(["ownTeam", "person", "channel"] as const)(
    "anybody while Slack does not answer about %s",
    async (question) => {
      const answer = await ask({ people: { ...people(), [question]: silent } });
      expect(answer).toMatchObject({ kind: "turned-away", principal: { team: "T1", user: "U1" } });
      expect(answer).toHaveProperty("why", expect.stringContaining("Try again"));
    },
  );
});

describe("foreign", () => {
  test("a call from another workspace, and Slack is not even asked about it", async () => {
    const answer = await ask({ caller: { team: "T9" }, people: { ...people(), person: silent, channel: silent } });
    expect(answer.kind).toBe("foreign");
  });

  test("somebody of another organisation in our workspace", async () => {
    expect((await ask({ people: people({ person: { ...alice, teams: ["T9"] } }) })).kind).toBe("foreign");
    expect((await ask({ people: people({ person: { ...alice, stranger: true } }) })).kind).toBe("foreign");
    expect((await ask({ people: people({ person: { ...alice, teams: [] } }) })).kind).toBe("foreign");
  });

  test("a user that Slack does not know", async () => {
    expect((await ask({ people: people({ person: { found: false } }) })).kind).toBe("foreign");
  });

  test("everybody where the configured list of workspaces is empty", async () => {
    expect((await ask({ teams: [] })).kind).toBe("foreign");
  });
});
