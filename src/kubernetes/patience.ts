import { KubernetesError } from "./failure.ts";

/** How long calls wait for an API server, by whether it answered lately. */
export type Patience = {
  /** Milliseconds for one call with its retries. */
  limitMs(kind: "read" | "write"): number;
  answered(): void;
  failed(error: unknown): void;
  silent(): boolean;
};

const readMs = 5_000;
const silentReadMs = 2_000;
const writeMs = 10_000;

/**
 * A read gets 5 s; 2 s after a call that got no answer, until one gets any: a person waits for several reads in a row,
 * and a server that is frozen keeps none of them. A write gets 10 s always: giving up early leaves more to look up.
 */
export function createPatience(): Patience {
  let silent = false;
  return {
    limitMs: (kind) => (kind === "write" ? writeMs : silent ? silentReadMs : readMs),
    answered: () => {
      silent = false;
    },
    failed(error) {
      if (!(error instanceof KubernetesError) || error.kind === "aborted" || error.kind === "credentials") return;
      silent = error.kind === "timeout" || error.kind === "unreachable";
    },
    silent: () => silent,
  };
}
