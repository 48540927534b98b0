/** A pod whose forwarded flows are wanted too: one that an operation is about. */
export type Interest = { readonly cluster: string; readonly namespace: string; readonly pod: string };

/** Forwarded flows are far too many to be asked for; these are the exceptions. */
export type Interests = {
  of(cluster: string): readonly Interest[];
  has(interest: Interest): boolean;
  set(interests: readonly Interest[]): void;
  /** Called after a change; returns what ends that. */
  onChange(listener: () => void): () => void;
};
