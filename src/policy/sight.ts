import type { RawPolicy } from "./revision.ts";

/** What a watch saw of one object. */
export type Sight =
  /** It is there in this form. */
  | {
      readonly kind: "there";
      readonly cluster: string;
      readonly object: RawPolicy;
      /** The form in which this watch saw it right before; undefined: it did not see it, or nothing is known of that. */
      readonly previous: RawPolicy | undefined;
      /** Whether it saw every step since `previous`, or that it was made now. False for what a list found. */
      readonly continuous: boolean;
      /** Milliseconds since the epoch. */
      readonly at: number;
    }
  /** It is gone. */
  | {
      readonly kind: "gone";
      readonly cluster: string;
      /** As it was last. */
      readonly object: RawPolicy;
      /** Of the deletion; of the list that it was not in, where that showed it. */
      readonly resourceVersion: string;
      readonly continuous: boolean;
      readonly at: number;
    };
