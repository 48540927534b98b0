import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readArguments } from "../src/cli-arguments.ts";
import { writePicture } from "../src/terminal-picture.ts";
import { readPng } from "./pictures/png.ts";
import { incident } from "./pictures/samples.ts";
import { note } from "./slack/replies.ts";

const folder = mkdtempSync(join(tmpdir(), "bulkhead-picture-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("--picture FILE is the terminal's own option, and needs a file", () => {
  expect(readArguments(["flows", "payments", "--picture", "denied.png"])).toMatchObject({
    words: ["flows", "payments"],
    picture: "denied.png",
  });
  expect(readArguments(["flows", "--picture"])).toEqual({ kind: "problem", problem: "--picture takes a file" });
});

test("The picture of an answer is written, and said in words", async () => {
  const file = join(folder, "denied.png");
  const said = await writePicture({ ...note("Denied"), picture: incident }, file);
  expect(said).toContain(`The picture is in ${file}. Line chart: Denied connections in payments`);
  expect(readPng({ png: readFileSync(file) }).width).toBe(1_460);
});

test("Where there is none, or it cannot be written, that is said and nothing else happens", async () => {
  expect(await writePicture(note("Denied"), join(folder, "none.png"))).toBe("There is no picture to this answer.");
  const said = await writePicture({ ...note("Denied"), picture: incident }, join(folder, "no", "such", "folder.png"));
  expect(said).toMatch(/^The picture could not be written: ENOENT/);
});
