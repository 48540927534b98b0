/** What a picture of denied connections shows: plain data, hostile strings and all; `bound.ts` bounds it. */
export type DeniedPicture = {
  /** Such as `Denied connections in payments`. */
  readonly title: string;
  /** What is counted, in the plural: `connections`, `packets`, `events`. */
  readonly unit: string;
  /** The window, milliseconds since the epoch; `toMs` is after `fromMs`. */
  readonly fromMs: number;
  readonly toMs: number;
  /** How much time one count covers, milliseconds, more than 0. */
  readonly stepMs: number;
  /** The one with most denials first; only the first eight are drawn. */
  readonly series: readonly DeniedSeries[];
  readonly marks: readonly PictureMark[];
};

export type DeniedSeries = {
  /** Such as `checkout → postgres.db:5432`. */
  readonly label: string;
  /** One for each step from `fromMs` on; null where nobody knows, which is drawn as a gap and not as 0. */
  readonly counts: readonly (number | null)[];
  /** There were at least so many: the source lost some. */
  readonly atLeast?: boolean;
};

export type PictureMark = {
  /** Milliseconds since the epoch; marks outside of the window are left out. */
  readonly atMs: number;
  readonly kind: MarkKind;
  /** Such as `payments/default-deny changed`; where it is empty the kind stands for it. */
  readonly what: string;
  /** Such as `alice`; empty where nobody knows, or nobody did it. */
  readonly who: string;
  /** By which people ask for it, such as `v-7f3k2ab`; empty where it has none. */
  readonly id: string;
};

export type MarkKind = "policy-change" | "operation" | "spike";

export type Picture = {
  readonly png: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
  /** What the picture says, in words: at most 1 000 UTF-16 units, which is Slack's limit (files.getUploadURLExternal). */
  readonly altText: string;
  /** Where every text of the picture is, for whoever wants to see that it can be read. */
  readonly labels: readonly LabelBox[];
};

/** In pixels of the picture, from its upper left corner. */
export type LabelBox = {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/** There is no picture; `why` is a sentence for people, without anything from outside in it. */
export type NoPicture = { readonly why: string };
