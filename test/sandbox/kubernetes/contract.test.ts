import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { kubernetesApiContract } from "../../contract/kubernetes-api.ts";
import { connectWith } from "../../contract/kubernetes-connection.ts";
import { waitFor } from "../../wait.ts";

const program = fileURLToPath(new URL("sandbox-process.ts", import.meta.url));

// In plain Node, as the demo runs it: vitest resolves CommonJS packages otherwise, and has hidden a broken import.
kubernetesApiContract("the sandbox", async () => {
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  const connection = await connectWith(JSON.parse(String(line)));
  return {
    ...connection,
    expireHistory: async () => {
      const before = await connection.call("GET", "/api/v1/namespaces?limit=1");
      const path = `/api/v1/namespaces?limit=1&continue=${encodeURIComponent(before.body.metadata.continue)}`;
      child.stdin.write("expire\n");
      await waitFor(async () => (await connection.call("GET", path)).status === 410);
    },
    close: async () => {
      await connection.close();
      child.stdin.end();
      await once(child, "exit");
    },
  };
});
