/** How long is waited before something is told, or told to be over. */
export type SpikePace = {
  /** So many minutes are seen before anything is told: all would be new. */
  readonly learn: number;
  /** So many minutes in a row are above the limit: one minute is often chance. */
  readonly confirm: number;
  /** So many minutes in a row below it are quiet. */
  readonly quiet: number;
  /** A minute is judged so many milliseconds after its end: what sources tell, and replicas write, is late. */
  readonly lateMs: number;
};

/** What recorded days were judged with (test/flows/recorded-days.test.ts). */
export const usualPace: SpikePace = { learn: 30, confirm: 2, quiet: 5, lateMs: 45_000 };
