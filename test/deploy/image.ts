import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { contextAllows, execForm, parseDockerfile, type Stage } from "./dockerfile.ts";

/** What a stage came to: a folder that stands for its root, and what its last instructions say of running it. */
export type Image = {
  readonly root: string;
  readonly base: string;
  /** The working directory, on this machine. */
  readonly workdir: string;
  /** Absolute paths in it point into `root`; PATH goes on with this machine's, without the checkout's tools. */
  readonly env: Readonly<Record<string, string>>;
  readonly user: string | undefined;
  readonly entrypoint: readonly string[];
};

export type Build = { readonly image: Image; remove(): Promise<void> };

type Draft = { -readonly [key in keyof Image]: Image[key] };
type Context = { readonly checkout: string; readonly ignore: string; readonly stages: ReadonlyMap<string, Image> };
type Step = (draft: Draft, args: string, context: Context) => Promise<void> | void;

/**
 * Replays the steps of the checkout's Dockerfile in an empty folder, one sub-folder a stage: COPY through
 * .dockerignore, RUN with this machine's shell, Node and npm in place of the base image's. What only an engine can
 * show (the base image, users, a read-only root) it does not show. Throws at the first step that fails or that it
 * does not know.
 */
export async function buildImage(checkout: string): Promise<Build> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-image-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    return { image: await replay(checkout, folder), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function replay(checkout: string, folder: string): Promise<Image> {
  const ignore = await readFile(join(checkout, ".dockerignore"), "utf8");
  const stages = new Map<string, Image>();
  let last: Image | undefined;
  for (const [index, stage] of parseDockerfile(await readFile(join(checkout, "Dockerfile"), "utf8")).entries()) {
    last = await replayStage(stage, join(folder, String(index)), { checkout, ignore, stages });
    stages.set(stage.name ?? String(index), last);
  }
  if (last === undefined) throw new Error("the Dockerfile has no stage");
  return last;
}

async function replayStage(stage: Stage, root: string, context: Context): Promise<Image> {
  await mkdir(join(root, "tmp"), { recursive: true });
  const draft: Draft = {
    root,
    base: stage.base,
    workdir: root,
    env: { PATH: machinePath() },
    user: undefined,
    entrypoint: [],
  };
  for (const { name, args } of stage.instructions) {
    const step = steps[name];
    if (step === undefined) throw new Error(`${name} is not understood: ${args}`);
    await step(draft, args, context);
  }
  return draft;
}

const steps: Readonly<Record<string, Step>> = {
  async WORKDIR(draft, args) {
    draft.workdir = inside(draft, args);
    await mkdir(draft.workdir, { recursive: true });
  },
  ENV(draft, args) {
    const [, name = "", value = ""] = /^(\w+)=(\S*)$/.exec(args) ?? [];
    if (name === "") throw new Error(`ENV is understood as NAME=value only: ${args}`);
    const rooted = value.replaceAll(/(^|:)\//g, `$1${draft.root}/`);
    draft.env = { ...draft.env, [name]: rooted.replaceAll("$PATH", draft.env["PATH"] ?? "") };
  },
  async COPY(draft, args, context) {
    const words = args.split(/\s+/);
    const stage = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
    const paths = words.filter((word) => !word.startsWith("--"));
    const target = paths.pop() ?? "";
    for (const path of paths) await copy(source(path, stage, context), inside(draft, target), target.endsWith("/"));
  },
  async RUN(draft, args) {
    const env = { ...process.env, ...draft.env, npm_config_prefer_offline: "true" };
    await promisify(execFile)("/bin/sh", ["-c", args], { cwd: draft.workdir, env, timeout: 120_000 });
  },
  USER(draft, args) {
    draft.user = args;
  },
  EXPOSE() {},
  LABEL() {},
  ENTRYPOINT(draft, args) {
    draft.entrypoint = execForm(args);
  },
};

/** A path of the image, from its working directory, on this machine. */
function inside(draft: Draft, path: string): string {
  return path.startsWith("/") ? join(draft.root, path) : resolve(draft.workdir, path);
}

function source(path: string, stage: string | undefined, { checkout, ignore, stages }: Context): string {
  if (stage === undefined) {
    if (!contextAllows(ignore, path)) throw new Error(`.dockerignore keeps ${path} out of the build`);
    return join(checkout, path);
  }
  const image = stages.get(stage);
  if (image === undefined) throw new Error(`no stage is called ${stage}`);
  return join(image.root, path);
}

/** As COPY does: a folder's content goes to the target; a file goes into a target that ends in a slash. */
async function copy(from: string, to: string, intoFolder: boolean): Promise<void> {
  const single = intoFolder && !(await isFolder(from));
  await cp(from, single ? join(to, basename(from)) : to, { recursive: true, verbatimSymlinks: true });
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory();
}

/** This Node first, as in the base image; no node_modules/.bin, whose tools no image has. */
function machinePath(): string {
  const rest = (process.env["PATH"] ?? "").split(delimiter).filter((entry) => !entry.includes("node_modules"));
  return [dirname(process.execPath), ...rest].join(delimiter);
}
