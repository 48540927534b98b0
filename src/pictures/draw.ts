import { altTextOf } from "./alt-text.ts";
import { bound } from "./bound.ts";
import { drawFlags, drawSymbols } from "./draw-flags.ts";
import { drawFrame } from "./draw-frame.ts";
import { drawLegend } from "./draw-legend.ts";
import { drawLines } from "./draw-lines.ts";
import { drawMarkList } from "./draw-mark-list.ts";
import { layOut } from "./layout.ts";
import type { DeniedPicture, Picture } from "./picture.ts";
import { rasterise } from "./raster.ts";
import { createSheet } from "./sheet.ts";
import type { Typesetter } from "./typesetting.ts";

/**
 * Draws the picture, here and now: some 60 ms in which nothing else is done (the bot asks `pictures.ts`). Throws where
 * the window is none.
 */
export function drawDenied(input: DeniedPicture, typesetter: Typesetter): Picture {
  const { svg, altText, labels } = composeDenied(input, typesetter);
  return { ...rasterise(svg), altText, labels };
}

/** The same before it becomes pixels. */
export type Composed = Pick<Picture, "altText" | "labels"> & { readonly svg: string };

export function composeDenied(input: DeniedPicture, typesetter: Typesetter): Composed {
  const plot = bound(input);
  const sheet = createSheet(typesetter);
  const layout = layOut(plot, sheet);
  const parts = [
    drawFrame(plot, layout, sheet),
    drawFlags(layout, sheet),
    drawLines(plot, layout, sheet),
    drawSymbols(layout),
    drawLegend(plot, layout, sheet),
    drawMarkList(layout, sheet),
  ];
  return { svg: sheet.close(parts.join(""), layout.height), altText: altTextOf(plot), labels: sheet.labels };
}
