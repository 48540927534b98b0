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
      "Marked: policy change at 14:02 (payments/default-deny by ci-deployer); spike at 14:06 (checkout → postgres); " +
      "operation at 14:15 (rollback u-7f3k by alice).",
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
  const marks = Array.from({ length: 40 }, (_, at) => mark(at, "policy-change", "😀".repeat(500)));
  expect(said(picture({ title: "W".repeat(5_000), series, marks })).length).toBeLessThanOrEqual(1_000);
});
