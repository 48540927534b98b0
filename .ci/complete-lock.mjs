import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup.mjs";

// Adds what package-lock.json lacks of other platforms' optional packages. A registry that serves only this machine's
// kind leaves them out, and then `npm ci` refuses the lock file. To be run after the lock file has changed.
const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

const file = join(root, "package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8"));
const present = new Set(Object.keys(lock.packages).map((path) => path.split("node_modules/").at(-1)));
const missing = Object.values(lock.packages).flatMap(({ optionalDependencies = {}, dev }) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !present.has(name))
    .map(([name, version]) => [`node_modules/${name}`, entry(name, version, dev)]),
);
const sorted = [...Object.entries(lock.packages), ...missing].sort(([a], [b]) => a.localeCompare(b, "en"));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
console.log(`${missing.length} entries added`);

/** Without `integrity`, which nobody here can know; the platform is what such a package's name says. */
function entry(name, version, dev) {
  const words = name.split("/").at(-1).split("-");
  const cpu = words.filter((word) => processors.includes(word));
  const os = words.filter((word) => systems.includes(word));
  return { version, cpu, ...(dev ? { dev } : {}), optional: true, os };
}
