import { execFile } from "node:child_process";

const program = "kubectl";

type Options = {
  /** Written to standard input. */
  readonly input?: string;
  /** A file; KUBECONFIG of the environment where there is none. */
  readonly kubeconfig?: string;
  /** For `edit`: a command that changes the file that it is given. */
  readonly editor?: string;
};

type Result = { readonly failed: boolean; readonly stdout: string; readonly stderr: string };

/** Standard output of kubectl. Throws with its standard error where it fails; ends it after 90 s. */
export async function kubectl(args: readonly string[], options: Options = {}): Promise<string> {
  const { failed, stdout, stderr } = await run(args, options);
  if (failed) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** What kubectl prints with `-o json`. */
export async function kubectlJson<T>(args: readonly string[], options?: Options): Promise<T> {
  return JSON.parse(await kubectl([...args, "-o", "json"], options)) as T;
}

/**
 * The answer of `kubectl auth can-i`, which exits with 1 for a no. Throws where it says neither yes nor no, and where
 * the server knows no such resource: that would be a no to anything.
 */
export async function canI(who: readonly string[], question: string, namespace: string): Promise<boolean> {
  const { stdout, stderr } = await run(["auth", "can-i", ...question.split(" "), "--namespace", namespace, ...who], {});
  const answer = stdout.trim();
  if ((answer !== "yes" && answer !== "no") || stderr.includes("doesn't have a resource type")) {
    throw new Error(`can-i ${question}: ${answer} ${stderr}`);
  }
  return answer === "yes";
}

function run(args: readonly string[], { input = "", kubeconfig, editor }: Options): Promise<Result> {
  const env = {
    ...process.env,
    ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
    ...(editor === undefined ? {} : { KUBE_EDITOR: editor }),
  };
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { env, timeout: 90_000, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error?.code === "ENOENT") reject(new Error("kubectl is not on PATH: the cluster suite needs it."));
      else resolve({ failed: error !== null, stdout, stderr: stderr || (error?.message ?? "") });
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
