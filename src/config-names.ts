import type { ConfigFile } from "./config-schema.ts";

/**
 * Names of people that are given or used wrongly: an id that is two people, a person whom nobody
 * described. That no name is given twice is held for every list (duplicateNames).
 */
export function peopleProblems({ people, access }: Pick<ConfigFile, "people" | "access">): readonly string[] {
  const names = people.map(({ name }) => name);
  const ids = people.flatMap(({ ids }) => ids);
  const used = access.flatMap(({ principals }, rule) =>
    principals.flatMap((key, at) =>
      key.startsWith("person:") && !names.includes(key.slice("person:".length))
        ? [`access.${rule}.principals.${at}: ${key} is nobody under people`]
        : [],
    ),
  );
  return [...twice(ids).map((id) => `people: ${id} is more than one person's id`), ...used];
}

function twice(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter((value, at) => values.indexOf(value) !== at))];
}
