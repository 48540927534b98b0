import type { History } from "../history/history.ts";
import type { WrittenObject } from "../kubernetes/cluster.ts";

/** Tells the history whose each of our own writes is. Never in the way: what could not be told is proven by its operation (proven.ts). */
export function attributed(
  { attribute }: Pick<History, "attribute">,
  onProblem: (error: unknown) => void,
): (written: WrittenObject) => void {
  return ({ operation, ...change }) => {
    const author = { kind: "operation", operation, by: undefined } as const;
    attribute({ ...change, author }).catch(onProblem);
  };
}
