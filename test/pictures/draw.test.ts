import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drawDenied } from "../../src/pictures/draw.ts";
import type { DeniedPicture, LabelBox, Picture } from "../../src/pictures/picture.ts";
import { createTypesetter } from "../../src/pictures/typesetting.ts";
import { darkPixels, isOpaque, isWritten, readPng, unreadable } from "./png.ts";
import { fromMs, hill, hostile, incident, minuteMs, picture } from "./samples.ts";
import { pictureTold } from "./told.ts";

const typesetter = createTypesetter();
const draw = (input: DeniedPicture): Picture => drawDenied(input, typesetter);
const texts = ({ labels }: Picture): string[] => labels.map(({ text }) => text);

test("Every text of the picture is there to be read: dark pixels in its box, within the picture, upon no other", () => {
  const drawn = draw(incident);
  expect(drawn.labels.length).toBeGreaterThan(20);
  expect(unreadable(drawn)).toEqual([]);
  expect(texts(drawn)).toEqual(
    expect.arrayContaining([
      "Denied connections in payments",
      "A",
      "14:02 default-deny changed by the program ci-deployer · v-2b4k9x1",
      "checkout → postgres.db:5432",
      "peak 1\u00a0240",
      "peak ≥ 200",
      "14:00",
    ]),
  );
});

test("The check for text sees where there is none", () => {
  const image = readPng(draw(picture()));
  const empty: LabelBox = { text: "nothing", x: 700, y: 300, width: 80, height: 30 };
  expect(darkPixels(image, empty)).toBe(0);
});

test("What is written in the picture its alternative text tells, so that from it the same texts come to stand in the same places", () => {
  const drawn = draw(incident);
  const told = draw(pictureTold(drawn.altText));
  const [image, again] = [readPng(drawn), readPng(told)];
  expect(texts(told)).toEqual(texts(drawn));
  const missing = told.labels.filter((box) => !isWritten(image, { image: again, box }));
  // The numbers of the second and third line stand before other lines.
  expect(missing.map(({ text }) => text).filter((text) => !/^[23]$/.test(text))).toEqual([]);
  const other = readPng(draw(pictureTold(drawn.altText.replaceAll("alice", "mallory"))));
  const who = told.labels.filter(({ text }) => text.includes("alice"));
  expect(who.map((box) => isWritten(other, { image: again, box }))).toEqual([false]);
});

test("The picture is opaque, twice as wide as Slack shows it, and small", () => {
  const drawn = draw(incident);
  const image = readPng(drawn);
  expect([drawn.widthPx, image.width]).toEqual([1_460, 1_460]);
  expect(drawn.heightPx).toBe(image.height);
  expect(isOpaque(image)).toBe(true);
  expect(drawn.png.length).toBeLessThan(400_000);
});

test("Hostile names become text that can be read, and nothing else", () => {
  const drawn = draw(hostile);
  expect(unreadable(drawn)).toEqual([]);
  const said = `${texts(drawn).join("\n")}\n${drawn.altText}`;
  expect(said).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]|\p{Cs}/u);
  expect(texts(drawn).join("")).not.toMatch(/[\p{Script=Hebrew}\p{Emoji_Presentation}]/u);
  expect(drawn.altText.length).toBeLessThanOrEqual(1_000);
});

test("Nothing denied, nothing known, one point alone, and one series only are pictures, too", () => {
  const zero = { label: "a → b:80", counts: Array.from({ length: 120 }, () => 0) };
  const unknown = { label: "a → b:80", counts: [null, null] };
  const lone = { label: "a → b:80", counts: [...Array.from({ length: 60 }, () => null), 3] };
  expect(texts(draw(picture()))).toContain("Nothing is known of this time.");
  expect(texts(draw(picture({ series: [zero] })))).toContain("Nothing was denied in this time.");
  expect(texts(draw(picture({ series: [unknown] })))).toContain("Nothing is known of this time.");
  expect(texts(draw(picture({ series: [lone] })))).toEqual(expect.arrayContaining(["peak 3", "1"]));
});

test("Ten thousand steps are a picture as quick and small as others, and it says that a point stands for several", () => {
  const counts = Array.from({ length: 10_080 }, (_, i) => (i === 5_000 ? 9_000 : i % 40));
  const toMs = fromMs + 10_080 * minuteMs;
  const drawn = draw(picture({ toMs, series: [{ label: "a → b:80", counts }] }));
  expect(texts(drawn)).toContain("peak 9\u00a0000");
  expect(texts(drawn).join(" ")).toContain("the highest in 28 minutes");
  expect(drawn.png.length).toBeLessThan(400_000);
  expect(unreadable(drawn)).toEqual([]);
});

test("More than eight series are not drawn, and the picture says so", () => {
  const series = Array.from({ length: 12 }, (_, at) => hill(`client-${at} → server:80`, 10 * at, 100));
  const drawn = draw(picture({ series }));
  expect(texts(drawn).join(" ")).toContain("4 more not drawn");
  expect(texts(drawn)).not.toContain("client-8 → server:80");
  expect(unreadable(drawn)).toEqual([]);
});

test("No font of the system is used: with none the picture is the same, byte for byte", () => {
  const home = mkdtempSync(join(tmpdir(), "bulkhead-fonts-"));
  const program = `
    const { drawDenied } = await import(${JSON.stringify(new URL("../../src/pictures/draw.ts", import.meta.url))});
    const { createTypesetter } = await import(${JSON.stringify(new URL("../../src/pictures/typesetting.ts", import.meta.url))});
    process.stdout.write(drawDenied(${JSON.stringify(incident)}, createTypesetter()).png);`;
  try {
    const env = { HOME: home, FONTCONFIG_FILE: "/dev/null", FONTCONFIG_PATH: home, XDG_DATA_DIRS: home };
    const drawn = execFileSync(process.execPath, ["--input-type=module", "-e", program], { env, cwd: home });
    expect(drawn.equals(draw(incident).png)).toBe(true);
  } finally {
    rmSync(home, { recursive: true });
  }
});
