import { fileURLToPath } from "node:url";
import { Resvg } from "@resvg/resvg-js";

export type Raster = { readonly png: Uint8Array; readonly widthPx: number; readonly heightPx: number };

export const fontFamily = "Inter";

/** Pixels for each unit of the SVG: twice, for sharp screens. */
export const pixelRatio = 2;

/**
 * The shipped fonts and no others: a slim image has none, and resvg draws the text of a font that it cannot read (woff)
 * as nothing, without a word.
 */
const font = {
  loadSystemFonts: false,
  defaultFontFamily: fontFamily,
  fontFiles: [
    import.meta.resolve("@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf"),
    import.meta.resolve("@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf"),
  ].map((url) => fileURLToPath(url)),
};

/** Draws an SVG, `pixelRatio` times its size. Throws where it is none. */
export function rasterise(svg: string): Raster {
  const drawn = new Resvg(svg, { font, fitTo: { mode: "zoom", value: pixelRatio } }).render();
  return { png: drawn.asPng(), widthPx: drawn.width, heightPx: drawn.height };
}

/** How much room an SVG's drawing takes to the right, in its units; 0 where nothing is drawn. */
export function inkRight(svg: string): number {
  const box = new Resvg(svg, { font }).getBBox();
  return box === undefined ? 0 : box.x + box.width;
}
