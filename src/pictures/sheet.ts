import { background, ink } from "./palette.ts";
import type { LabelBox } from "./picture.ts";
import { element } from "./svg.ts";
import type { Place, Type, Typesetter } from "./typesetting.ts";

/** Units of the SVG across; the picture has `pixelRatio` times as many pixels. */
export const sheetWidth = 730;
export const margin = 16;

export const types = {
  title: { size: 21, bold: true },
  normal: { size: 16 },
  strong: { size: 16, bold: true },
  quiet: { size: 15.5, colour: ink.quiet },
  badge: { size: 13, bold: true },
} satisfies Record<string, Type>;

/** What is drawn on: sets texts and keeps where they are. */
export type Sheet = Typesetter & {
  readonly labels: LabelBox[];
  /** Sets a text and keeps its box. */
  write(text: string, type: Type, place: Place): string;
  /** The whole as an SVG on an opaque background. */
  close(svg: string, height: number): string;
};

export function createSheet(typesetter: Typesetter): Sheet {
  const labels: LabelBox[] = [];
  return {
    ...typesetter,
    labels,
    write(text, type, place) {
      if (text === "") return "";
      const { svg, box } = typesetter.set(text, type, place);
      labels.push(box);
      return svg;
    },
    close(svg, height) {
      const size = { width: sheetWidth, height };
      const ground = element("rect", { ...size, fill: background });
      const attributes = { xmlns: "http://www.w3.org/2000/svg", ...size, viewBox: `0 0 ${sheetWidth} ${height}` };
      return element("svg", attributes, ground + svg);
    },
  };
}
