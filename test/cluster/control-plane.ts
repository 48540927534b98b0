import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkout } from "../deploy/manifests.ts";
import { waitFor } from "../wait.ts";

/** The script that starts a control plane (KUBE_UP), with down.sh beside it, and the first of the ports that it may use. */
const script = process.env["KUBE_UP"] ?? join(checkout, "../shared/kube/up.sh");
const port = Number(process.env["KUBE_UP_PORT"] ?? 7760);

/** A control plane of the test's own, whose API server it may kill and freeze. */
export type ControlPlane = {
  /** Files: an administrator, and user `bot` of group `bots`. */
  readonly kubeconfig: string;
  readonly botKubeconfig: string;
  /** SIGKILL. */
  kill(): void;
  /** Starts the API server again with the arguments that it had; resolves when it is ready. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
  /** Whatever was done to the API server: it runs, and is ready. */
  recover(): Promise<void>;
  /** The bot's token is another from the next restart on; its kubeconfig still holds the old one. */
  rotateBotToken(token: string): void;
  stop(): Promise<void>;
};

/** Why none can be started here; undefined where one can. */
export function whyNoControlPlane(): string | undefined {
  if (existsSync(script)) return undefined;
  return `${script} is not there: name the script that starts a control plane by KUBE_UP`;
}

/** `apiArgs`: more flags for the API server; none may hold a space. */
export async function startControlPlane(apiArgs: readonly string[] = []): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-control-plane-"));
  await run(script, [folder, String(port), "0"], { ...process.env, API_ARGS: apiArgs.join(" ") });
  const pidFile = join(folder, "kube-apiserver.pid");
  const pid = () => Number(readFileSync(pidFile, "utf8"));
  const isRunning = () => existsSync(`/proc/${pid()}`);
  const [program = "", ...args] = readFileSync(`/proc/${pid()}/cmdline`, "utf8").split("\0").slice(0, -1);
  const restart = async (): Promise<void> => {
    await waitFor(() => !isRunning());
    const log = openSync(join(folder, "kube-apiserver.log"), "a");
    const child = spawn(program, args, { cwd: folder, detached: true, stdio: ["ignore", log, log] });
    child.unref();
    writeFileSync(pidFile, String(child.pid));
    await waitFor(isReady, { timeoutMs: 60_000, everyMs: 100 });
  };
  return {
    kubeconfig: join(folder, "kubeconfig"),
    botKubeconfig: join(folder, "kubeconfig.bot"),
    kill: () => void process.kill(pid(), "SIGKILL"),
    restart,
    async recover() {
      if (!isRunning()) return restart();
      process.kill(pid(), "SIGCONT");
      await waitFor(isReady, { timeoutMs: 60_000, everyMs: 100 });
    },
    freeze: () => void process.kill(pid(), "SIGSTOP"),
    thaw: () => void process.kill(pid(), "SIGCONT"),
    rotateBotToken(token) {
      const file = join(folder, "tokens.csv");
      writeFileSync(file, readFileSync(file, "utf8").replace(/^[^,]*,bot,/m, `${token},bot,`));
    },
    async stop() {
      await run(join(dirname(script), "down.sh"), [folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function run(program: string, args: readonly string[], env = process.env): Promise<void> {
  return new Promise((resolve, reject) => {
    // What it leaves running must not hold our end of a pipe.
    const child = spawn(program, args, { stdio: "ignore", env });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))));
  });
}

const agent = new Agent({ rejectUnauthorized: false, keepAlive: false });

function isReady(): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { agent, timeout: 2_000, headers: { authorization: "Bearer admin-token" } };
    request(`https://127.0.0.1:${port + 3}/readyz`, options, (response) => {
      resolve(response.resume().statusCode === 200);
    })
      .on("timeout", () => resolve(false))
      .on("error", () => resolve(false))
      .end();
  });
}
