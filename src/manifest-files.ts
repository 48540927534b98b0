import { type Dirent, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ManifestFile } from "./simulator/manifest-documents.ts";

export type ManifestFolder = {
  /** Sorted by path. */
  readonly files: readonly ManifestFile[];
  /** What could not be read, a line each that begins with the path. */
  readonly broken: readonly string[];
};

/** A larger file is refused rather than read into memory; kubectl writes some 5 KB of JSON a pod. */
const largest = { json: 256 * 1024 * 1024, yaml: 16 * 1024 * 1024 };

type Walk = { readonly files: ManifestFile[]; readonly broken: string[]; readonly seen: Set<string> };

/**
 * All .yaml, .yml and .json files of a folder at any depth, by their paths in it. What begins with a dot is left out, so
 * that a mounted ConfigMap's own copies are not read twice. Links are followed, but nothing is read twice, so a link
 * that leads back does not loop. Returns the reason where the folder itself cannot be read.
 */
export function readManifestFolder(folder: string): ManifestFolder | { readonly problem: string } {
  const walk: Walk = { files: [], broken: [], seen: new Set() };
  try {
    if (!statSync(folder).isDirectory()) return { problem: `${folder} is not a folder` };
    readdirSync(folder);
  } catch (error) {
    return { problem: `${folder}: ${reason(error)}` };
  }
  visit(folder, "", walk);
  const files = walk.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return { files, broken: walk.broken.toSorted() };
}

/** The text of one file; or why it cannot be read, beginning with its path. */
export function readText(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    const text = textOf(readFileSync(path));
    return text === undefined ? { problem: `${path}: is not text (UTF-8)` } : { text };
  } catch (error) {
    return { problem: `${path}: ${reason(error)}` };
  }
}

/** Returns what went wrong, if something did. */
export function writeText(path: string, text: string): readonly string[] | undefined {
  try {
    writeFileSync(path, text);
    return undefined;
  } catch (error) {
    return [`${path}: cannot be written: ${reason(error)}`];
  }
}

function visit(folder: string, inside: string, walk: Walk): void {
  try {
    const place = realpathSync(folder);
    if (walk.seen.has(place)) return;
    walk.seen.add(place);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.name.startsWith(".")) visitEntry(folder, inside, entry, walk);
    }
  } catch (error) {
    walk.broken.push(`${inside}: ${reason(error)}`);
  }
}

function visitEntry(folder: string, inside: string, entry: Dirent, walk: Walk): void {
  const [path, shown] = [join(folder, entry.name), join(inside, entry.name)];
  const isManifest = /\.(ya?ml|json)$/i.test(entry.name);
  try {
    const stat = entry.isSymbolicLink() ? statSync(path) : entry;
    if (stat.isDirectory()) visit(path, shown, walk);
    else if (isManifest && !stat.isFile()) walk.broken.push(`${shown}: is not a regular file`);
    else if (isManifest) take(path, shown, walk);
  } catch (error) {
    // A dangling link, or something else's file that cannot be read: it matters only if it could hold manifests.
    if (isManifest) walk.broken.push(`${shown}: ${reason(error)}`);
  }
}

function take(path: string, shown: string, walk: Walk): void {
  const place = realpathSync(path);
  if (walk.seen.has(place)) return;
  walk.seen.add(place);
  const limit = /\.json$/i.test(path) ? largest.json : largest.yaml;
  const { size } = statSync(path);
  if (size > limit) {
    const advice =
      limit === largest.yaml ? "; as JSON it may be larger (kubectl get -o json), or split it" : "; split it";
    walk.broken.push(
      `${shown}: is ${megabytes(size)} MiB, more than the ${megabytes(limit)} MiB that are read${advice}`,
    );
    return;
  }
  const text = textOf(readFileSync(path));
  if (text === undefined) walk.broken.push(`${shown}: is not text (UTF-8)`);
  else walk.files.push({ path: shown, text });
}

function textOf(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024));
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "may not be read (permission denied)",
  EPERM: "may not be read (permission denied)",
  ELOOP: "is a link that leads to itself",
  ENOTDIR: "is not a folder",
  EISDIR: "is a folder",
};

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}
