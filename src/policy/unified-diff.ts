/**
 * The lines of a unified diff without file names: hunks of `@@ -1,3 +1,4 @@ spec:`, each with the outermost line that it is
 * in; none where the texts are the same.
 */
export function unifiedDiff(from: readonly string[], to: readonly string[], context = 3): readonly string[] {
  const steps = numbered(stepsBetween(from, to));
  return hunks(steps, context).flatMap((hunk) => [headOf(hunk, steps), ...hunk.map(({ sign, line }) => sign + line)]);
}

type Sign = " " | "-" | "+";
type Step = { readonly sign: Sign; readonly line: string };

/** What begins and ends alike is set aside, since most of it mostly does. */
function stepsBetween(from: readonly string[], to: readonly string[]): readonly Step[] {
  const shorter = Math.min(from.length, to.length);
  let head = 0;
  while (head < shorter && from[head] === to[head]) head++;
  let tail = 0;
  while (tail < shorter - head && from.at(-1 - tail) === to.at(-1 - tail)) tail++;
  return [
    ...from.slice(0, head).map(same),
    ...middle(from.slice(head, from.length - tail), to.slice(head, to.length - tail)),
    ...from.slice(from.length - tail).map(same),
  ];
}

const same = (line: string): Step => ({ sign: " ", line });

/** More than this many pairs of lines are not compared one by one: all of the one goes, all of the other comes. */
const mostPairs = 4_000_000;

/** By the longest common subsequence. */
function middle(from: readonly string[], to: readonly string[]): readonly Step[] {
  if (from.length * to.length > mostPairs) return [...from.map(removed), ...to.map(added)];
  const lengths = commonLengths(from, to);
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    const [old, now] = [from[i], to[j]];
    if (old !== undefined && old === now) {
      steps.push(same(old));
      i++;
      j++;
    } else if (old !== undefined && (now === undefined || lengths(i + 1, j) >= lengths(i, j + 1))) {
      steps.push(removed(old));
      i++;
    } else if (now !== undefined) {
      steps.push(added(now));
      j++;
    }
  }
  return steps;
}

const removed = (line: string): Step => ({ sign: "-", line });
const added = (line: string): Step => ({ sign: "+", line });

/** How many lines what follows `i` and `j` has in common. */
function commonLengths(from: readonly string[], to: readonly string[]): (i: number, j: number) => number {
  const width = to.length + 1;
  const table = new Uint32Array((from.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      table[i * width + j] = from[i] === to[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  return at;
}

/** `old` and `now`: how many lines of each text came before. */
type Numbered = Step & { readonly index: number; readonly old: number; readonly now: number };

function numbered(steps: readonly Step[]): readonly Numbered[] {
  let [old, now] = [0, 0];
  return steps.map((step, index) => {
    const here = { ...step, index, old, now };
    if (step.sign !== "+") old++;
    if (step.sign !== "-") now++;
    return here;
  });
}

/** Changes with some lines around them; those that touch are one hunk. */
function hunks(steps: readonly Numbered[], context: number): readonly (readonly Numbered[])[] {
  const found: { first: number; last: number }[] = [];
  for (const { sign, index } of steps) {
    if (sign === " ") continue;
    const last = found.at(-1);
    if (last !== undefined && index - context <= last.last + 1) last.last = index + context;
    else found.push({ first: Math.max(0, index - context), last: index + context });
  }
  return found.map(({ first, last }) => steps.slice(first, last + 1));
}

function headOf(hunk: readonly Numbered[], steps: readonly Numbered[]): string {
  const [first] = hunk;
  if (first === undefined) return "";
  const [old, now] = (["+", "-"] as const).map((other) => hunk.filter(({ sign }) => sign !== other).length);
  const within = steps.slice(0, first.index).findLast(({ sign, line }) => sign !== "-" && /^\S/.test(line));
  return `@@ -${start(first.old, old)} +${start(first.now, now)} @@${within === undefined ? "" : ` ${within.line}`}`;
}

/** Lines count from 1; of none the number is that of the line before (POSIX diff, unified format). */
function start(before: number, count = 0): string {
  return count === 1 ? `${before + 1}` : `${count === 0 ? before : before + 1},${count}`;
}
