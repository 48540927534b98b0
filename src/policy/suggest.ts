import { closest, distance } from "fastest-levenshtein";

/** The candidate that the word was probably meant to be: at most two edits away, or a third of its length. */
function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0 || word.length > 253) return undefined;
  const best = closest(word, [...candidates]);
  return distance(word, best) <= Math.max(2, Math.floor(word.length / 3)) ? best : undefined;
}

/** " Did you mean X?" or nothing, to be appended to a sentence. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const best = nearest(word, candidates);
  return best === undefined ? "" : ` Did you mean ${best}?`;
}
