import type { DeniedPicture, DeniedSeries, PictureMark } from "../../src/pictures/picture.ts";

export const fromMs = Date.UTC(2026, 10, 22, 13);
export const minuteMs = 60_000;

/** Two hours by the minute. */
export function picture(differing: Partial<DeniedPicture> = {}): DeniedPicture {
  const usual = { title: "Denied connections in payments", unit: "connections", fromMs, toMs: fromMs + 120 * minuteMs };
  return { ...usual, stepMs: minuteMs, series: [], marks: [], ...differing };
}

/** A line that rises to `height` at the minute `at`. */
export function hill(label: string, at: number, height: number, differing: Partial<DeniedSeries> = {}): DeniedSeries {
  const counts = Array.from({ length: 120 }, (_, i) => Math.round(height * Math.exp(-(((i - at) / 6) ** 2))));
  return { label, counts, ...differing };
}

export function mark(minute: number, kind: PictureMark["kind"], what: string, differing: Partial<PictureMark> = {}) {
  return { atMs: fromMs + minute * minuteMs, kind, what, who: "", id: "", ...differing } satisfies PictureMark;
}

/** What on-call sees: a policy change, and what it denies. */
export const incident = picture({
  series: [
    hill("checkout → postgres.db:5432", 67, 1_240),
    hill("cart → redis.cache:6379", 70, 200, { atLeast: true }),
    { label: "prometheus.monitoring → checkout:9090", counts: Array.from({ length: 120 }, (_, i) => 100 + (i % 7)) },
  ],
  marks: [
    mark(62, "policy-change", "default-deny changed", { who: "the program ci-deployer", id: "v-2b4k9x1" }),
    mark(66, "spike", ""),
    mark(75, "operation", "default-deny changed", { who: "alice (U0ALICE)", id: "u-7f3k2ab" }),
  ],
});

const hostileLabels = [
  "x".repeat(100_000),
  "שלום עולם → אבג:80",
  "😀😀😀 → 💣:443",
  "a\u0000b\u001b[31mc\nd\u202Eevil\u2066\u200b",
  "</text><script>alert(1)</script><image href='file:///etc/passwd'/>",
  "&lt;b&gt; &#x0; %s ${x} <!channel> `*_~",
  "\uD800 lone → \uDFFF",
  "e\u0301\u0301\u0301\u0301\u0301\u0301 zalgo",
];

/** Eight lines and as many marks whose names want to do harm. */
export const hostile = picture({
  title: `</text><script>alert(1)</script> & \u202Eevil\u0000 漢字 ${"W".repeat(10_000)}`,
  unit: "<b>connections</b>",
  series: hostileLabels.map((label, at) => hill(label, 15 * at + 5, 500)),
  marks: hostileLabels.map((label, at) => {
    return mark(14 * at + 3, at % 2 === 0 ? "policy-change" : "operation", label, { who: label, id: label });
  }),
});
