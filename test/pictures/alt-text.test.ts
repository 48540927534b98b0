import { expect, test } from "vitest";
import { altTextOf } from "../../src/pictures/alt-text.ts";
import { bound } from "../../src/pictures/bound.ts";
import type { DeniedPicture } from "../../src/pictures/picture.ts";
import { hill, incident, mark, picture } from "./samples.ts";

const said = (input: DeniedPicture): string => altTextOf(bound(input));

test("The alternative text says who is denied most, how many and when, and which changes are marked", () => {
  expect(said(incident)).toBe(
    "Line chart: Denied connections in payments, 22 Nov 13:00 to 15:00 UTC. " +
      "Most: checkout → postgres.db:5432, peak of 1 240 connections per minute at 14:07. " +
      "Also: cart → redis.cache:6379, peak of at least 200 connections per minute at 14:10; " +
      "prometheus.monitoring → checkout:9090, peak of 106 connections per minute at 13:06. " +
      "Marked: policy change at 14:02 (default-deny changed by the program ci-deployer, v-2b4k9x1); spike at 14:06; " +
      "operation at 14:15 (default-deny changed by alice (U0ALICE), u-7f3k2ab).",
  );
});

test("It says so where nothing was denied, and how much it leaves out", () => {
  expect(said(picture())).toContain("Nothing was denied, as far as is known. No change is marked.");
  const series = Array.from({ length: 11 }, (_, at) => hill(`client-${at} → server:80`, 10 * at, 100 - at));
  const marks = Array.from({ length: 9 }, (_, at) => mark(at, "operation", `q-${at}`));
  expect(said(picture({ series, marks }))).toContain("7 more lines.");
  expect(said(picture({ series, marks }))).toContain("Marked: 4 earlier ones; operation at 13:04 (q-4)");
});

test("It is never longer than Slack takes", () => {
  const series = Array.from({ length: 8 }, (_, at) => hill(`${"名".repeat(500)}-${at}`, 10 * at, 1e15));
  const long = "😀".repeat(500);
  const marks = Array.from({ length: 40 }, (_, at) => mark(at, "policy-change", long, { who: long, id: long }));
  expect(said(picture({ title: "W".repeat(5_000), series, marks })).length).toBeLessThanOrEqual(1_000);
  expect(said(picture({ title: "W".repeat(5_000), series }))).toContain("No change is marked.");
});

test("Where all marks would make it too long, the latest ones are told whole", () => {
  const names = Array.from({ length: 8 }, (_, at) => hill(`${"n".repeat(60)}-${at} → server:80`, 10 * at, 100));
  const marks = Array.from({ length: 9 }, (_, at) =>
    mark(at, "policy-change", "p".repeat(70), { who: "w".repeat(50), id: `v-${at}` }),
  );
  expect(said(picture({ series: names, marks }))).toMatch(/Marked: [678] earlier ones; .*w, v-8\)\.$/);
});
