import { expect, test } from "vitest";
import { entryLines } from "../../src/pictures/mark-list.ts";
import type { PictureMark } from "../../src/pictures/picture.ts";
import { createSheet, types } from "../../src/pictures/sheet.ts";
import { createTypesetter } from "../../src/pictures/typesetting.ts";
import { minute } from "../../src/pictures/words.ts";
import { mark } from "./samples.ts";

const sheet = createSheet(createTypesetter());
const width = 650;

function lines(...marks: PictureMark[]): readonly string[] {
  const flag = { marks, letter: "A", x: 0, left: 0, lane: 0, flipped: false };
  return entryLines(flag, { width, timeOf: minute }, sheet);
}

test("One line says when, what, who, and the id by which people ask for it", () => {
  const change = mark(62, "policy-change", "default-deny changed", { who: "the program ci", id: "v-2b4k9x1" });
  expect(lines(change)).toEqual(["14:02 default-deny changed by the program ci · v-2b4k9x1"]);
  const ours = mark(75, "operation", "default-deny changed", { who: "alice", id: "u-7f3k2ab" });
  expect(lines(ours)).toEqual(["14:15 default-deny changed by alice · operation u-7f3k2ab"]);
  expect(lines(mark(66, "spike", ""))).toEqual(["14:06 spike"]);
});

test("Who did it goes to a second line rather than getting lost, and the id stays whole", () => {
  const names = "a-namespace-with-a-long-name/and-a-policy-whose-name-is-longer-still";
  const who = "system:serviceaccount:argocd:argocd-application-controller";
  const drawn = lines(mark(62, "policy-change", `${names} changed`, { who, id: "v-2b4k9x1" }));
  expect(drawn).toEqual([expect.stringMatching(/^14:02 a-name.*….* changed · v-2b4k9x1$/), `by ${who}`]);
});

test("Marks that share a letter are told by their number, with everybody who did them", () => {
  const marks = [
    mark(60, "policy-change", "a changed", { who: "alice", id: "v-1" }),
    mark(61, "policy-change", "b changed", { who: "the program ci", id: "v-2" }),
    mark(62, "operation", "c created", { who: "alice", id: "q-3" }),
  ];
  expect(lines(...marks)).toEqual(["14:00–14:02 2 policy changes, 1 operation by alice, the program ci"]);
});

test("However long its strings are, a line fits", () => {
  const long = { who: "W".repeat(300), id: "W".repeat(300) };
  const drawn = lines(mark(60, "operation", "W".repeat(300), long));
  expect(drawn).toHaveLength(2);
  expect(drawn.filter((line) => sheet.width(line, types.normal) > width)).toEqual([]);
});
