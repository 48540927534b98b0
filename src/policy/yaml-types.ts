/** A type of JSON as somebody who writes YAML knows it: `a list` for `array`; a name that is not known stays as it is. */
export function nameOfType(type: string): string {
  const names: Readonly<Record<string, string>> = {
    string: "text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    array: "a list",
    object: "a mapping",
    record: "a mapping",
  };
  return names[type] ?? type;
}
