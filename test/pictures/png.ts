import { PNG } from "pngjs";
import type { LabelBox, Picture } from "../../src/pictures/picture.ts";

/** A picture's pixels, read by another library than the one that wrote them. */
export function readPng({ png }: Pick<Picture, "png">): PNG {
  return PNG.sync.read(Buffer.from(png));
}

/** How many pixels in the box are dark enough to be text. */
export function darkPixels(image: PNG, box: LabelBox): number {
  let dark = 0;
  for (let y = Math.floor(box.y); y < box.y + box.height; y += 1) {
    for (let x = Math.floor(box.x); x < box.x + box.width; x += 1) {
      if (isDark(image, x, y)) dark += 1;
    }
  }
  return dark;
}

/** Texts whose box has no ink, stands out of the picture or lies upon another. */
export function unreadable(drawn: Picture): string[] {
  const image = readPng(drawn);
  const blank = drawn.labels.filter((box) => !/^[\s.…–·]*$/.test(box.text) && darkPixels(image, box) < 12);
  const outside = drawn.labels.filter(
    ({ x, y, width, height }) => x < 0 || y < 0 || x + width > image.width || y + height > image.height,
  );
  const covered = drawn.labels.filter((one, at) => drawn.labels.slice(at + 1).some((other) => overlap(one, other)));
  return [...blank, ...outside, ...covered].map(({ text }) => text);
}

/** A text as it is written in another picture. */
export type Written = { readonly image: PNG; readonly box: LabelBox };

/** Whether the same is written in this one, so many pixels further `down`: one pixel in ten of its ink may differ. */
export function isWritten(image: PNG, written: Written, down = 0): boolean {
  return inkOff(image, written, { across: 0, down }) <= 0.1;
}

/** Whether it is written at one of these places: between two pixels edges are others, so that three in ten may differ. */
export function isWrittenNear(image: PNG, written: Written, moves: readonly Move[]): boolean {
  return moves.some((move) => inkOff(image, written, move) <= 0.3);
}

/** Pixels to the right and down. */
export type Move = { readonly across: number; readonly down: number };

/** How much of a text's ink differs there, in parts of one; of too little ink to be a text all of it. */
function inkOff(image: PNG, { image: as, box }: Written, { across, down }: Move): number {
  let [ink, off] = [0, 0];
  for (let y = Math.floor(box.y); y < box.y + box.height; y += 1) {
    for (let x = Math.floor(box.x); x < box.x + box.width; x += 1) {
      const isInk = isDark(as, x, y);
      if (isInk) ink += 1;
      if (isInk !== isDark(image, x + across, y + down)) off += 1;
    }
  }
  return ink < 12 ? 1 : off / ink;
}

/** Whether every pixel is opaque. */
export function isOpaque(image: PNG): boolean {
  return image.data.every((value, at) => at % 4 !== 3 || value === 255);
}

/** Whether the boxes have a pixel in common. */
function overlap(one: LabelBox, other: LabelBox): boolean {
  const across = one.x < other.x + other.width && other.x < one.x + one.width;
  return across && one.y < other.y + other.height && other.y < one.y + one.height;
}

/** Enough to be text. */
function isDark(image: PNG, x: number, y: number): boolean {
  return luminance(image, x, y) < 140;
}

function luminance({ data, width, height }: PNG, x: number, y: number): number {
  if (x < 0 || y < 0 || x >= width || y >= height) return 255;
  const at = 4 * (y * width + x);
  return 0.2126 * (data[at] ?? 255) + 0.7152 * (data[at + 1] ?? 255) + 0.0722 * (data[at + 2] ?? 255);
}
