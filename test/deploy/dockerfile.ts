/** One instruction: its name in capitals, and its arguments as one line. */
type Instruction = { readonly name: string; readonly args: string };

export type Stage = {
  readonly base: string;
  /** What COPY --from calls it. */
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
};

/** The stages of a Dockerfile. Comment lines go, continued lines are joined; heredocs and ARG before FROM are refused. */
export function parseDockerfile(text: string): readonly Stage[] {
  const lines = text
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = "", args = ""] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name.toUpperCase() === "FROM") stages.push({ ...from(args), instructions: [] });
    else if (stages.length === 0 || name === "" || args.includes("<<")) throw new Error(`not understood: ${line}`);
    else stages.at(-1)!.instructions.push({ name: name.toUpperCase(), args });
  }
  return stages;
}

function from(args: string): { base: string; name: string | undefined } {
  const [base = "", , name] = args.split(/\s+/);
  return { base, name };
}

/** The strings of an exec form, `["node", "src/main.ts"]`. Throws for the shell form. */
export function execForm(args: string): readonly string[] {
  return JSON.parse(args) as string[];
}

/**
 * Whether .dockerignore lets a path into the build. Only the form of an allow-list is understood: `*`, then `!name` of
 * a top-level entry; anything else throws.
 */
export function contextAllows(dockerignore: string, path: string): boolean {
  const [first, ...kept] = dockerignore.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  if (first !== "*" || kept.some((line) => !/^![\w.-]+$/.test(line))) throw new Error("not an allow-list");
  return kept.includes(`!${path.split("/")[0]}`);
}
