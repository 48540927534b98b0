import { altTextOf } from "./alt-text.ts";
import { bound, type Plot } from "./bound.ts";
import { drawFlags, drawSymbols } from "./draw-flags.ts";
import { drawFrame } from "./draw-frame.ts";
import { drawLegend } from "./draw-legend.ts";
import { drawLines } from "./draw-lines.ts";
import { layOut } from "./layout.ts";
import type { DeniedPicture, Picture } from "./picture.ts";
import { rasterise } from "./raster.ts";
import { createSheet, type Sheet } from "./sheet.ts";
import type { Typesetter } from "./typesetting.ts";

/**
 * Draws the picture, here and now: some 60 ms in which nothing else is done (the bot asks `pictures.ts`). Throws where
 * the window is none.
 */
export function drawDenied(input: DeniedPicture, typesetter: Typesetter): Picture {
  const plot = bound(input);
  const sheet = createSheet(typesetter);
  const { svg, height } = compose(plot, sheet);
  return { ...rasterise(sheet.close(svg, height)), altText: altTextOf(plot), labels: sheet.labels };
}

function compose(plot: Plot, sheet: Sheet): { readonly svg: string; readonly height: number } {
  const layout = layOut(plot, sheet);
  const parts = [
    drawFrame(plot, layout, sheet),
    drawFlags(layout, sheet),
    drawLines(plot, layout, sheet),
    drawSymbols(layout),
    drawLegend(plot, layout, sheet),
  ];
  return { svg: parts.join(""), height: layout.height };
}
