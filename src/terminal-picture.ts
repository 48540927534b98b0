import { writeFileSync } from "node:fs";
import type { Reply } from "./commands/reply.ts";

/** Writes a reply's picture into a file, and says in one sentence what came of it, or why there is none. Never throws. */
export async function writePicture({ picture }: Reply, file: string): Promise<string> {
  if (picture === undefined) return "There is no picture to this answer.";
  try {
    const [{ drawDenied }, { createTypesetter }] = await Promise.all([
      import("./pictures/draw.ts"),
      import("./pictures/typesetting.ts"),
    ]);
    const { png, altText } = drawDenied(picture, createTypesetter());
    writeFileSync(file, png);
    return `The picture is in ${file}. ${altText}`;
  } catch (error) {
    return `The picture could not be written: ${error instanceof Error ? error.message : String(error)}`;
  }
}
