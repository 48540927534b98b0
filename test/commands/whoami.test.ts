import { afterAll, beforeAll, expect, test } from "vitest";
import type { Principal } from "../../src/policy/principal.ts";
import { startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;

const everything = { verbs: ["*"], namespaces: ["*"] } as const;

beforeAll(async () => {
  desk = await startDesk({
    settings: {
      access: {
        rules: [
          { principals: ["person:jane"], verbs: ["status"], namespaces: ["*"], clusters: ["eu"] },
          { principals: ["slack-group:T1/S0ONCALL"], ...everything },
          { principals: ["terminal:jane@corp"], ...everything },
        ],
        people: [{ name: "jane", ids: ["slack:T1/U1", "terminal:jane@corp"] }],
      },
    },
  });
});

afterAll(() => desk.close());

function slack(user: string, groups?: readonly string[]): Principal {
  const known = groups === undefined ? {} : { groups };
  return { kind: "slack", enterprise: undefined, team: "T1", user, displayName: "jane", ...known };
}

test("Whoami says whom one is taken for, by which ids, and by which rule one may do what", async () => {
  const said = wordsIn(await desk.type("whoami", slack("U1", ["slack-group:T1/S0ONCALL"])));
  expect(said).toContain("Known by Slack's ids, as slack:T1/U1.");
  expect(said).toContain(
    "You are taken for jane: the people section maps slack:T1/U1, terminal:jane@corp to one person.",
  );
  expect(said).toContain("status in * of cluster eu (rule 1 of the access section, as person:jane)");
  expect(said).toContain("* in * (rule 2 of the access section, as slack-group:T1/S0ONCALL)");
  expect(said).not.toContain("rule 3");
});

test("A right of one's own id is told without another key, and a display name is nobody", async () => {
  const own = wordsIn(
    await desk.type("whoami", { kind: "terminal", user: "jane@corp", source: "self-subject-review" }),
  );
  expect(own).toContain("* in * (rule 3 of the access section)");
  const stranger = wordsIn(await desk.type("whoami", slack("U9")));
  expect(stranger).not.toContain("taken for");
  expect(stranger).toContain("no rule of the access section names you");
});
