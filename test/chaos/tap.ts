/** One call on its way through a proxy. */
export type Call = {
  /** The number of this write, from 1; 0 for what only reads. */
  readonly write: number;
  /** `PATCH`, `EVAL` and so on. */
  readonly verb: string;
  /** The path of a request; the first arguments of a command. */
  readonly what: string;
  /** All that it says: path and body, or every argument. */
  readonly text: string;
  /** When it arrived, milliseconds since the epoch. */
  readonly at: number;
};

/** What befalls one call. Without `instead` it is forwarded; without `answer` its answer is passed on. */
export type Fault = {
  /** Awaited before the call is forwarded. */
  readonly before?: () => unknown;
  /** The server never sees the call; a number is an HTTP status, with Retry-After where it is 429 or 503. */
  readonly instead?: "reset" | "hang" | number;
  /** Awaited when the server has answered, so when a write has taken effect, before the caller learns of it. */
  readonly after?: () => unknown;
  /** The caller never gets the answer. */
  readonly answer?: "reset" | "hang";
};

export type Decide = (call: Call) => Fault | undefined;

/** How a call ended: the server's status (0 for an answer of Redis), or what became of it instead. */
export type Passed = Call & { readonly outcome: number | "not sent" | "answer lost" };

/** What both proxies do: number the writes, ask what is to befall each call, and keep a journal of the writes. */
export type Tap = {
  /** Asked about every call from now on; undefined lets all of them through. */
  decide(decide: Decide | undefined): void;
  /** Awaited before each write is forwarded, whatever befalls it. */
  observe(observer: (call: Call) => Promise<void>): void;
  /** Writes, in the order in which they ended; of each the first 1 000 characters. */
  writes(): readonly Passed[];
};

export type TapParts = Tap & {
  /** Numbers the call, and says what is to befall it. */
  meet(call: Omit<Call, "write" | "at">, writes: boolean): Promise<{ readonly call: Call; readonly fault: Fault }>;
  ended(call: Call, outcome: Passed["outcome"]): void;
};

export function createTap(): TapParts {
  let decide: Decide | undefined;
  let observe: ((call: Call) => Promise<void>) | undefined;
  let count = 0;
  const journal: Passed[] = [];
  return {
    decide: (next) => {
      decide = next;
    },
    observe: (observer) => {
      observe = observer;
    },
    writes: () => journal,
    async meet(given, writes) {
      if (writes) count += 1;
      const call: Call = { ...given, write: writes ? count : 0, at: Date.now() };
      const fault = decide?.(call) ?? {};
      if (writes) await observe?.(call);
      await fault.before?.();
      return { call, fault };
    },
    ended: (call, outcome) => {
      if (call.write > 0) journal.push({ ...call, text: call.text.slice(0, 1_000), outcome });
    },
  };
}

/** The fault for the n-th write (from 1) of those that pass the filter, counted from now on, and for no other. */
export function atWrite(n: number, fault: Fault, filter: (call: Call) => boolean = () => true): Decide {
  let seen = 0;
  return (call) => {
    if (call.write === 0 || !filter(call)) return undefined;
    seen += 1;
    return seen === n ? fault : undefined;
  };
}
