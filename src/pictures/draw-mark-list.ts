import { kindOf, markSymbol } from "./draw-flags.ts";
import type { Layout } from "./layout.ts";
import { legendRow } from "./legend.ts";
import { listIndent } from "./mark-list.ts";
import { margin, type Sheet, types } from "./sheet.ts";

/** Below the legend, by time: the symbol and the letter that stand above the plot, and what was done then. */
export function drawMarkList({ flags, entries, listTop }: Layout, sheet: Sheet): string {
  let y = listTop;
  const drawn = flags.map((flag, at) => {
    const symbol = markSymbol(kindOf(flag), margin + listIndent.symbol, y - 5.5);
    const letter = sheet.write(flag.letter, types.strong, { x: margin + listIndent.letter, y });
    const lines = (entries[at] ?? []).map((line) => {
      const text = sheet.write(line, types.normal, { x: margin + listIndent.text, y });
      y += legendRow;
      return text;
    });
    return symbol + letter + lines.join("");
  });
  return drawn.join("");
}
