type Waiting<Value, Result> = { value: Value; readonly done: PromiseWithResolvers<Result> };
type Line<Value, Result> = { waiting: Waiting<Value, Result> | undefined };

/**
 * A caller that makes one call at a time per key. Of the values that come while one is under way only the latest is
 * called with, and everybody who waited gets its result or its error. Keys are forgotten when nothing waits.
 */
export function latestWins<Value, Result>() {
  const busy = new Map<string, Line<Value, Result>>();

  return async (key: string, value: Value, call: (value: Value) => Promise<Result>): Promise<Result> => {
    const line = busy.get(key);
    if (line !== undefined) {
      const done = line.waiting?.done ?? Promise.withResolvers<Result>();
      line.waiting = { value, done };
      return done.promise;
    }
    const own: Line<Value, Result> = { waiting: undefined };
    busy.set(key, own);
    const result = call(value);
    void result
      .catch(() => undefined)
      .then(() => callRest(own, call))
      .finally(() => busy.delete(key));
    return result;
  };
}

async function callRest<Value, Result>(line: Line<Value, Result>, call: (value: Value) => Promise<Result>) {
  for (let { waiting } = line; waiting !== undefined; { waiting } = line) {
    line.waiting = undefined;
    await call(waiting.value).then(waiting.done.resolve, waiting.done.reject);
  }
}
