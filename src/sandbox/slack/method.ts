/** Arguments of a call; a value that was sent as JSON inside a form is parsed already. */
export type Arguments = ReadonlyMap<string, unknown>;
/** A Web API answer: `{ ok: true, … }` or `{ ok: false, error }`. */
export type Answer = { readonly ok: boolean; readonly [field: string]: unknown };
export type Method = (args: Arguments) => Answer;

export function refuse(error: string, errors: readonly string[] = []): Answer {
  if (errors.length === 0) return { ok: false, error };
  return { ok: false, error, errors, response_metadata: { messages: errors.map((text) => `[ERROR] ${text}`) } };
}

/** A string argument; undefined where it is missing or empty. */
export function stringOf(args: Arguments, name: string): string | undefined {
  const value = args.get(name);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A boolean argument: JSON has it as one, a form as text. */
export function isSet(args: Arguments, name: string): boolean {
  const value = args.get(name);
  return value === true || value === "true" || value === "1";
}
