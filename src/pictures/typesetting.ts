import { ink } from "./palette.ts";
import type { LabelBox } from "./picture.ts";
import { fontFamily, inkRight, pixelRatio } from "./raster.ts";
import { element, textElement } from "./svg.ts";

/** Sizes in units of the SVG. */
export type Type = { readonly size: number; readonly bold?: boolean; readonly colour?: string };

/** A text at its place, as SVG and as the box that it fills. */
export type SetText = { readonly svg: string; readonly box: LabelBox };

export type Place = { readonly x: number; readonly y: number; readonly anchor?: "start" | "middle" | "end" };

/**
 * Sets text in the shipped font, and knows how wide it gets: letter by letter as the
 * renderer draws them, since to measure each text whole takes a second where many are long.
 */
export type Typesetter = {
  width(text: string, type: Type): number;
  /** As much of the text as fits, with an ellipsis in its `middle` or at its `end`. */
  fit(text: string, type: Type, room: { readonly width: number; readonly cut: "middle" | "end" }): string;
  /** `y` is the base line. */
  set(text: string, type: Type, place: Place): SetText;
};

/** What is remembered of widths, so that nothing grows without end. */
const mostRemembered = 2_000;

export function createTypesetter(): Typesetter {
  const advances = new Map<string, number>();

  /** Of one letter, at a size of 1. */
  function advance(letter: string, bold: boolean): number {
    const key = `${bold}${letter}`;
    const known = advances.get(key);
    if (known !== undefined) return known;
    if (advances.size >= mostRemembered) advances.clear();
    const measured = drawnWidth(letter, bold);
    advances.set(key, measured);
    return measured;
  }

  const width = (text: string, { size, bold = false }: Type): number =>
    Array.from(text).reduce((sum, letter) => sum + advance(letter, bold), 0) * size;

  return {
    width,
    fit(text, type, room) {
      if (width(text, type) <= room.width) return text;
      const letters = Array.from(text);
      let [fits, tooLong] = [0, letters.length];
      while (tooLong - fits > 1) {
        const middle = Math.floor((fits + tooLong) / 2);
        if (width(shortened(letters, middle, room.cut), type) <= room.width) fits = middle;
        else tooLong = middle;
      }
      return shortened(letters, fits, room.cut);
    },
    set(text, type, place) {
      const wide = width(text, type);
      return { svg: inPieces(text, type, place, wide), box: boxOf(text, wide, type, place) };
    },
  };
}

/** The font draws an x between digits as a multiplication sign (its contextual alternates): ids would not be what they are. */
const beforeTimes = /(?<=\d)(?=x\d)/;

function inPieces(text: string, type: Type, place: Place, width: number): string {
  const [first = "", ...others] = text.split(beforeTimes);
  if (others.length === 0) return written(text, type, place);
  let x = leftOf(place, width);
  const set = [first, ...others].map((piece) => {
    const svg = written(piece, type, { x, y: place.y });
    x += drawnWidth(piece, type.bold === true) * type.size;
    return svg;
  });
  return set.join("");
}

const probeSize = 100;

/** At a size of 1, as it is drawn: pairs of letters may be nearer to each other than each alone is wide. */
function drawnWidth(text: string, bold: boolean): number {
  return (inkRight(probe(`H${text}H`, bold)) - inkRight(probe("HH", bold))) / probeSize;
}

function probe(text: string, bold: boolean): string {
  const svg = { xmlns: "http://www.w3.org/2000/svg", width: 1, height: 1 };
  return element("svg", svg, written(text, { size: probeSize, bold }, { x: 0, y: 0 }));
}

function written(text: string, { size, bold, colour }: Type, { x, y, anchor }: Place): string {
  const attributes = {
    x,
    y,
    "font-family": fontFamily,
    "font-size": size,
    "font-weight": bold === true ? 600 : 400,
    "text-anchor": anchor,
    fill: colour ?? ink.text,
    "xml:space": "preserve",
  };
  return textElement(attributes, text);
}

function shortened(letters: readonly string[], kept: number, cut: "middle" | "end"): string {
  const tail = cut === "middle" ? Math.floor(kept / 2) : 0;
  const head = letters
    .slice(0, kept - tail)
    .join("")
    .trimEnd();
  return `${head}…${tail === 0 ? "" : letters.slice(-tail).join("")}`;
}

/** Ascenders and descenders of the font are within 0.8 and 0.25 of its size. */
function boxOf(text: string, width: number, { size }: Type, place: Place): LabelBox {
  const scaled = (value: number): number => value * pixelRatio;
  const [left, top] = [leftOf(place, width), place.y - 0.8 * size];
  return { text, x: scaled(left), y: scaled(top), width: scaled(width), height: scaled(1.05 * size) };
}

function leftOf({ x, anchor }: Place, width: number): number {
  return anchor === "end" ? x - width : anchor === "middle" ? x - width / 2 : x;
}
