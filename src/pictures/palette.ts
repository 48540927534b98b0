/** How the line of a rank is drawn; no two ranks have the same colour or the same dashes. */
export type LineStyle = { readonly colour: string; readonly dashes: string };

export const background = "#ffffff";

/** Of text, of what is less important, and of the grid. */
export const ink = { text: "#1a1a1a", quiet: "#4d4d4d", grid: "#dcdcdc" } as const;

/**
 * By rank: the colours of Okabe and Ito (Color Universal Design), in an order that sets neighbours apart; their light ones
 * (orange, sky blue, yellow, purple) are darker here, since WCAG 2.2 (1.4.11) wants 3:1 against the background.
 */
export const lineStyles: readonly LineStyle[] = [
  { colour: "#d55e00", dashes: "" },
  { colour: "#0072b2", dashes: "9 3" },
  { colour: "#008f68", dashes: "2 3" },
  { colour: "#000000", dashes: "9 3 2 3" },
  { colour: "#b3598c", dashes: "5 3" },
  { colour: "#a67200", dashes: "14 4" },
  { colour: "#2f8cc4", dashes: "5 3 2 3" },
  { colour: "#857c00", dashes: "2 6" },
];
