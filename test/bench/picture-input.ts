import type { DeniedPicture } from "../../src/pictures/picture.ts";

const fromMs = Date.UTC(2026, 10, 22, 13);
const minuteMs = 60_000;

/** What an incident looks like: eight pairs over two hours, and what was done. */
export const benchPictureInput: DeniedPicture = {
  title: "Denied connections in payments",
  unit: "connections",
  fromMs,
  toMs: fromMs + 120 * minuteMs,
  stepMs: minuteMs,
  series: Array.from({ length: 8 }, (_, line) => ({
    label: `client-${line}.payments → postgres-${line}.db:5432`,
    counts: Array.from({ length: 120 }, (_, at) =>
      Math.round(900 * Math.exp(-(((at - 40 - 6 * line) / 9) ** 2)) + (at % 7)),
    ),
  })),
  marks: [20, 38, 44, 60, 90].map((at) => ({
    atMs: fromMs + at * minuteMs,
    kind: at === 44 ? "spike" : at === 60 ? "operation" : "policy-change",
    what: `payments/policy-${at} changed`,
    who: "the program ci-pipeline",
    id: `v-7f3k${at}`,
  })),
};
