import { Gauge, type Registry } from "prom-client";

/** A gauge of the five with the most of each cluster, however many there are. */
export type Ranking = {
  /** In place of what stood there. An empty name is no label. */
  set(cluster: string, all: readonly Ranked[]): void;
  clear(cluster: string): void;
};

export type Ranked = { readonly name: string; readonly count: number };

/** `of`: the label that has the name. */
export type RankingOptions = { readonly name: string; readonly help: string; readonly of: string };

/** By rank, since names come from outside, and there is no end of them: at any time there are five series of a cluster. */
const ranks = [1, 2, 3, 4, 5] as const;

/** Registers it, with the labels `cluster`, `rank` and `of`. */
export function createRanking(registry: Registry, { name, help, of }: RankingOptions): Ranking {
  const gauge = new Gauge({ name, help, labelNames: ["cluster", "rank", of], registers: [registry] });
  const shown = new Map<string, readonly Record<string, string | number>[]>();
  const clear = (cluster: string): void => {
    for (const labels of shown.get(cluster) ?? []) gauge.remove(labels);
    shown.delete(cluster);
  };
  return {
    clear,
    set(cluster, all) {
      const most = all.toSorted((a, b) => b.count - a.count);
      clear(cluster);
      shown.set(
        cluster,
        ranks.map((rank) => {
          const { name: first = "", count = 0 } = most[rank - 1] ?? {};
          const labels = { cluster, rank, [of]: first };
          gauge.set(labels, count);
          return labels;
        }),
      );
    },
  };
}
