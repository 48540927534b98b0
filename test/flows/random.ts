/** Numbers by chance that a seed gives again: mulberry32. */
export type Random = {
  /** From 0 up to, not with, 1. */
  unit(): number;
  /** From `least` up to, not with, `most`. */
  between(least: number, most: number): number;
  integer(least: number, most: number): number;
  pick<T>(of: readonly T[]): T;
  normal(): number;
  /** So many events where `mean` are to be expected; overdispersed where `shape` is finite: the lower, the more. */
  count(mean: number, shape?: number): number;
};

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + unit() * (most - least);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit());
  return {
    unit,
    between,
    normal,
    integer: (least, most) => Math.floor(between(least, most)),
    pick: (of) => {
      const one = of[Math.floor(unit() * of.length)];
      if (one === undefined) throw new Error("nothing to pick from");
      return one;
    },
    count: (mean, shape = Number.POSITIVE_INFINITY) =>
      poisson(unit, normal, Number.isFinite(shape) ? mean * gamma(unit, normal, shape) : mean),
  };
}

function poisson(unit: () => number, normal: () => number, mean: number): number {
  if (mean <= 0) return 0;
  if (mean > 40) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = unit(); product > limit; product *= unit()) count += 1;
  return count;
}

/** With mean 1: Marsaglia and Tsang, for shapes of 1 and more. */
function gamma(unit: () => number, normal: () => number, shape: number): number {
  const d = shape - 1 / 3;
  for (;;) {
    const x = normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - unit()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return (d * v) / shape;
  }
}
