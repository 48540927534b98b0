import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = fileURLToPath(new URL("../src", import.meta.url));

const inner = ["engines", "simulator", "flows", "kubernetes", "scheduler", "audit", "history", "pictures"];

/** What a room may import besides itself; `root` is the files that lie in src/ itself. */
const allowed: Record<string, readonly string[]> = {
  root: ["slack", "sandbox", "commands", ...inner, "policy"],
  slack: ["commands", ...inner, "policy"],
  sandbox: ["commands", ...inner, "policy"],
  commands: [...inner, "policy"],
  ...Object.fromEntries(inner.map((room) => [room, ["policy"]])),
  policy: [],
};

/** Pure rooms touch nothing outside of the program; these packages only compute. */
const pure = ["policy", "simulator", "engines"];
/** zod and yaml compute too: they turn raw objects and texts into values, and do nothing else. */
const purePackages = ["node:crypto", "canonicalize", "ipaddr.js", "fastest-levenshtein", "zod", "yaml"];

const touchesProcess = ["main.ts", "cli.ts"];

type Source = { readonly path: string; readonly room: string; readonly code: string; readonly imports: string[] };

const sources: readonly Source[] = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => {
    const text = readFileSync(join(source, path), "utf8");
    return { path, room: roomOf(path), code: withoutComments(text), imports: importsOf(withoutComments(text)) };
  });

test("The direction test sees the source files", () => {
  expect(sources.length).toBeGreaterThan(25);
  expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(25);
});

test("Every room is known", () => {
  expect(sources.filter(({ room }) => allowed[room] === undefined).map(({ path }) => path)).toEqual([]);
});

test("A room imports only the rooms below it", () => {
  const wrong = sources.flatMap((file) =>
    file.imports
      .filter((name) => name.startsWith("."))
      .map((name) => relative(source, resolve(source, dirname(file.path), name)))
      .filter((path) => path.startsWith("..") || !mayImport(file.room, roomOf(path)))
      .map((path) => `${file.path} imports ${path}`),
  );
  expect(wrong).toEqual([]);
});

test("Relative imports name the file with its extension", () => {
  const wrong = sources.flatMap(({ path, imports }) =>
    imports.filter((name) => name.startsWith(".") && !name.endsWith(".ts")).map((name) => `${path}: ${name}`),
  );
  expect(wrong).toEqual([]);
});

test("Node's own modules are imported as node:", () => {
  const wrong = sources.flatMap(({ path, imports }) =>
    imports.filter((name) => builtinModules.includes(name)).map((name) => `${path}: ${name}`),
  );
  expect(wrong).toEqual([]);
});

test("Pure rooms import nothing that acts", () => {
  const wrong = sources
    .filter(({ room }) => pure.includes(room))
    .flatMap(({ path, imports }) =>
      imports
        .filter((name) => !name.startsWith(".") && !purePackages.includes(name))
        .map((name) => `${path} imports ${name}`),
    );
  expect(wrong).toEqual([]);
});

test("Only main.ts and cli.ts touch process", () => {
  const wrong = sources.filter(({ path, code, imports }) => {
    if (touchesProcess.includes(path)) return false;
    return /(?<![.\w$"'`-])process\s*[.[]/.test(code) || imports.includes("node:process");
  });
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test("File names are kebab-case", () => {
  const wrong = sources.filter(({ path }) => !/^([a-z0-9-]+\/)*[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(path));
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test("There are no default exports, no barrels, no utils and no types", () => {
  const wrong = sources.filter(({ path, code }) => {
    const name = basename(path, ".ts");
    return (
      /^export default|^export (type )?(\*|\{[^}]*\}) from/m.test(code) || /^(index|utils?|types?|helpers?)$/.test(name)
    );
  });
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

function roomOf(path: string): string {
  return path.includes("/") ? (path.split("/")[0] ?? "root") : "root";
}

function mayImport(from: string, to: string): boolean {
  return from === to || (allowed[from] ?? []).includes(to);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** Static, dynamic and type imports, and re-exports. */
function importsOf(code: string): string[] {
  const forms = /(?<!["'])\bfrom\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;
  return [...code.matchAll(forms)].map((match) => match[1] ?? match[2] ?? "");
}
