// Runs on Node 20 with nothing installed: no packages, no TypeScript.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

/**
 * Programs made from Debian's packages in a cache folder (XDG_CACHE_HOME, else ~/.cache): nothing on the system is
 * changed and no root is needed.
 * - `name`: of the folder in the cache.
 * - `install`: packages to ask for; `needed`: which of all that come along are unpacked, a pattern of file names.
 * - `programs`: paths below the root of the packages; each gets a launcher of its own name in the folder.
 * - `finish`: is called with that root before the programs are tried.
 * Returns the folder. Throws `advice`, one line that says what to do instead.
 */
export function unpackDebian({ name, install, needed, programs, advice, finish = () => undefined }) {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "bulkhead");
  const home = join(cache, `${name}-${process.arch}`);
  const launchers = programs.map((program) => basename(program));
  if (launchers.every((one) => existsSync(join(home, one)))) return home;
  if (!exists("apt-get") || !exists("dpkg-deb")) throw new Error(advice);
  console.error(`Unpacking ${launchers.join(", ")} from Debian's packages …`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "unpack-"));
  try {
    assemble(download(work, install), join(work, "home"), { needed, programs, finish });
    publish(join(work, "home"), home, launchers);
    return home;
  } catch (error) {
    throw new Error(`${advice}\n(Debian's packages could not be used: ${error.message})`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Fetches the packages with all that they need into `work`: apt with state folders of its own, and an empty list of what is
 * installed, so that no library of the machine counts. Returns their files.
 */
function download(work, install) {
  for (const folder of ["lists/partial", "archives/partial"]) mkdirSync(join(work, folder), { recursive: true });
  writeFileSync(join(work, "status"), "");
  const settings = {
    "Dir::State": work,
    "Dir::State::lists": join(work, "lists"),
    "Dir::State::status": join(work, "status"),
    "Dir::Cache": work,
    "Dir::Cache::archives": join(work, "archives"),
    "Dir::Log": work,
    "APT::Sandbox::User": "root",
    "Debug::NoLocking": "true",
  };
  const options = ["-qq", "-y", ...Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`])];
  // A foreign source that is out of order is no reason to stop: the next call tells whether they are to be had.
  execute("apt-get", [...options, "update"], { mayFail: true });
  execute("apt-get", [...options, "--no-install-recommends", "--download-only", "install", ...install]);
  const archives = join(work, "archives");
  return readdirSync(archives, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".deb"))
    .map((entry) => join(archives, entry.name));
}

/** Puts the programs, their libraries and a launcher of each into `home`, and sees that they run. */
function assemble(packages, home, { needed, programs, finish }) {
  const tree = join(home, "tree");
  mkdirSync(tree, { recursive: true });
  for (const file of packages.filter((one) => needed.test(basename(one))))
    execute("dpkg-deb", ["--extract", file, tree]);
  finish(tree);
  for (const program of programs) {
    const executable = join(home, basename(program));
    writeFileSync(executable, launcher(loaderIn(tree), program));
    chmodSync(executable, 0o755);
    execute(executable, ["--version"]);
  }
}

/** The dynamic loader's path below `tree`; libraries of the packages lie in folders of the same name beside it. */
function loaderIn(tree) {
  const isLoader = (path) => /^(usr\/)?lib\/[^/]+\/ld-linux[^/]*\.so\.\d+$/.test(path);
  const loader = readdirSync(tree, { recursive: true }).find(isLoader);
  if (loader === undefined) throw new Error("no dynamic loader among the packages");
  return loader;
}

/** Runs the program with the packages' own loader and libraries, wherever the folder lies. */
function launcher(loader, program) {
  const architecture = basename(dirname(loader));
  return `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)/tree
exec "$here/${loader}" --library-path "$here/lib/${architecture}:$here/usr/lib/${architecture}" \\
  "$here/${program}" "$@"
`;
}

/** In one step, so that nobody ever sees half of it; another set-up may have been first. */
function publish(made, home, launchers) {
  try {
    renameSync(made, home);
  } catch (error) {
    if (!launchers.every((one) => existsSync(join(home, one)))) throw error;
  }
}

function exists(command) {
  return spawnSync(command, ["--version"]).error === undefined;
}

function execute(command, args, { mayFail = false } = {}) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: 120_000 });
  if (status === 0 || mayFail) return;
  throw new Error(`${command}: ${error?.message ?? stderr.trim().split("\n").at(-1)}`);
}
