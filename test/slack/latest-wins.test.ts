import { expect, test } from "vitest";
import { latestWins } from "../../src/slack/latest-wins.ts";

/** Calls that end when the test says so. */
function calls() {
  const made: { value: string; end: PromiseWithResolvers<string> }[] = [];
  return {
    made: () => made.map(({ value }) => value),
    call: (value: string) => {
      const end = Promise.withResolvers<string>();
      made.push({ value, end });
      return end.promise;
    },
    end: async (at: number) => {
      made[at]!.end.resolve(`done ${made[at]!.value}`);
      await settled();
    },
    fail: async (at: number) => {
      made[at]!.end.reject(new Error("no"));
      await settled();
    },
  };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

test("Of the values that wait only the latest is sent, and all who waited get its result", async () => {
  const { made, call, end } = calls();
  const update = latestWins<string, string>();
  const first = update("card", "one", call);
  const second = update("card", "two", call);
  const third = update("card", "three", call);
  expect(made()).toEqual(["one"]);
  await end(0);
  expect(made()).toEqual(["one", "three"]);
  await end(1);
  expect(await Promise.all([first, second, third])).toEqual(["done one", "done three", "done three"]);
});

test("Different keys do not wait for each other", () => {
  const { made, call } = calls();
  const update = latestWins<string, string>();
  void update("a", "one", call);
  void update("b", "two", call);
  expect(made()).toEqual(["one", "two"]);
});

test("A failed call fails for its own caller, and the next goes on", async () => {
  const { made, call, end, fail } = calls();
  const update = latestWins<string, string>();
  const first = update("card", "one", call);
  const second = update("card", "two", call);
  const refused = expect(first).rejects.toThrow("no");
  await fail(0);
  await refused;
  await end(1);
  expect(await second).toBe("done two");
  const later = update("card", "three", call);
  expect(made()).toEqual(["one", "two", "three"]);
  await end(2);
  expect(await later).toBe("done three");
});
