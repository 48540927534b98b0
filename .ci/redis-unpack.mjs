// Runs on Node 20 with nothing installed: no packages, no TypeScript.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

const advice =
  "No redis-server: install one (apt-get install redis-server, brew install redis, dnf install redis), " +
  "or set REDIS_URL to a Redis 7.0 or later whose databases 1 and up may be emptied.";

/**
 * A redis-server made from Debian's packages in a cache folder (XDG_CACHE_HOME, else ~/.cache): nothing on the system
 * is changed and no root is needed. Returns the executable's path; throws one line that says what to do instead.
 */
export function unpackRedis() {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "bulkhead");
  const home = join(cache, `redis-${process.arch}`);
  const executable = join(home, "redis-server");
  if (existsSync(executable)) return executable;
  if (!exists("apt-get") || !exists("dpkg-deb")) throw new Error(advice);
  console.error("Unpacking a redis-server from Debian's packages …");
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "unpack-"));
  try {
    assemble(download(work), join(work, "home"));
    publish(join(work, "home"), home);
    return executable;
  } catch (error) {
    throw new Error(`${advice}\n(Debian's packages could not be used: ${error.message})`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Fetches redis-tools, which holds the server's binary, with all that it needs, into `work`: apt with state folders of
 * its own, and an empty list of what is installed, so that no library of the machine counts. Returns the packages.
 */
function download(work) {
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
  // A foreign source that is out of order is no reason to stop: the next call tells whether redis is to be had.
  execute("apt-get", [...options, "update"], { mayFail: true });
  execute("apt-get", [...options, "--no-install-recommends", "--download-only", "install", "redis-tools"]);
  const archives = join(work, "archives");
  return readdirSync(archives, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".deb"))
    .map((entry) => join(archives, entry.name));
}

/** Puts the server, its libraries and a launcher into `home`, and sees that it runs. */
function assemble(packages, home) {
  const tree = join(home, "tree");
  mkdirSync(tree, { recursive: true });
  const needed = packages.filter((file) => /^(lib|redis-tools)/.test(basename(file)));
  for (const file of needed) execute("dpkg-deb", ["--extract", file, tree]);
  // One binary, which decides by its name what it is.
  copyFileSync(join(tree, "usr/bin/redis-check-rdb"), join(tree, "usr/bin/redis-server"));
  const executable = join(home, "redis-server");
  writeFileSync(executable, launcher(loaderIn(tree)));
  chmodSync(executable, 0o755);
  execute(executable, ["--version"]);
}

/** The dynamic loader's path below `tree`; libraries of the packages lie in folders of the same name beside it. */
function loaderIn(tree) {
  const isLoader = (path) => /^(usr\/)?lib\/[^/]+\/ld-linux[^/]*\.so\.\d+$/.test(path);
  const loader = readdirSync(tree, { recursive: true }).find(isLoader);
  if (loader === undefined) throw new Error("no dynamic loader among the packages");
  return loader;
}

/** Runs the server with the packages' own loader and libraries, wherever the folder lies. */
function launcher(loader) {
  const architecture = basename(dirname(loader));
  return `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)/tree
exec "$here/${loader}" --library-path "$here/lib/${architecture}:$here/usr/lib/${architecture}" \\
  "$here/usr/bin/redis-server" "$@"
`;
}

/** In one step, so that nobody ever sees half of it; another set-up may have been first. */
function publish(made, home) {
  try {
    renameSync(made, home);
  } catch (error) {
    if (!existsSync(join(home, "redis-server"))) throw error;
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
