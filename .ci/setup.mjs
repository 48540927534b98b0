// Runs on Node 20 with nothing installed: no packages, no TypeScript.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules", ".bin");
const stampFile = join(root, "node_modules", ".bulkhead-stamp");

/** Node 24 of the project's own dependencies; the running one where no build of it exists for this machine. */
export const node = () => (existsSync(join(bin, "node")) ? join(bin, "node") : process.execPath);

/** Installs what package-lock.json names, where node_modules is missing or was made from another lock file. */
export async function ensureDependencies() {
  if (isCurrent()) return;
  const unlock = await lock();
  try {
    if (!isCurrent()) await install();
  } finally {
    unlock();
  }
}

/**
 * Runs a program of the project to its end and returns its exit code. Signals go on to the program, which has 10 s to
 * end well. At a terminal Ctrl-C has reached it already, and what that means is its own affair.
 */
export async function run(command, args, env = {}) {
  const path = `${bin}${delimiter}${process.env.PATH ?? ""}`;
  const child = spawn(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, PATH: path, ...env } });
  const pass = (signal) => {
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
    setTimeout(() => child.kill("SIGKILL"), 10_000).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, pass);
  const code = await ended(child);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(signal, pass);
  return code;
}

/** Runs the body of a script: its return value is the exit code, and what it throws is one line, not a stack. */
export async function script(body) {
  try {
    process.exitCode = await body();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

/** What node_modules has to be made of: the lock file, what package.json asks for, and the machine's kind. */
function wantedStamp() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  hash.update(JSON.stringify([dependencies, devDependencies, process.platform, process.arch]));
  return hash.digest("hex");
}

function isCurrent() {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === wantedStamp();
}

/** `npm ci` for a fresh clone; `npm install` changes what is there in place, under whatever runs from it. */
async function install() {
  const how = existsSync(join(root, "node_modules", ".package-lock.json")) ? "install" : "ci";
  console.error(`Installing dependencies (npm ${how}) …`);
  // NODE_ENV=production must not drop the tools that check and test.
  const code = await run("npm", [how, "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (code !== 0) throw new Error(`npm ${how} failed (exit code ${code}): dependencies are not installed.`);
  writeFileSync(stampFile, wantedStamp());
}

/** Waits for another set-up of the same checkout; a lock whose process is gone does not count. */
async function lock() {
  const file = join(tmpdir(), `bulkhead-setup-${createHash("sha256").update(root).digest("hex").slice(0, 16)}`);
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!isAlive(file)) rmSync(file, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isAlive(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    // Empty for the moment between the file's creation and the writing of the id.
    if (pid > 0) process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}
