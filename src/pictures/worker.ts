import { parentPort } from "node:worker_threads";
import { drawDenied } from "./draw.ts";
import type { DeniedPicture, Picture } from "./picture.ts";
import { createTypesetter } from "./typesetting.ts";

/** What a worker answers: the picture, or that it could not draw this one. */
export type Drawn = { readonly picture: Picture } | { readonly error: string };

const typesetter = createTypesetter();

parentPort?.on("message", (input: DeniedPicture) => {
  parentPort?.postMessage(drawn(input));
});

function drawn(input: DeniedPicture): Drawn {
  try {
    return { picture: drawDenied(input, typesetter) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
