import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import type { SandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";

type Container = { readonly name: string; readonly command: readonly string[] };
type Term = { readonly matchExpressions: readonly { readonly key: string; readonly values?: readonly string[] }[] };

/** A pod as the canary makes it. */
type Pod = {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly initContainers?: readonly Container[];
    readonly containers: readonly Container[];
    readonly affinity: {
      readonly nodeAffinity: {
        readonly requiredDuringSchedulingIgnoredDuringExecution: { readonly nodeSelectorTerms: readonly Term[] };
      };
    };
  };
};

type Policy = {
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly policyTypes: readonly string[];
  };
};

/** What happens to the pods of a pool. */
export type Pool = {
  /** Whether policies have an effect there. */
  readonly enforces: boolean;
  /** A kubelet that cannot get the image. */
  readonly noImage?: true;
  /** Its server stops answering, for good, as soon as a policy is there. */
  readonly serverDies?: true;
};

type Running = { readonly address: string; readonly proxy: Server; readonly port: number };

/**
 * Runs the pods of a namespace of a sandbox without controllers: their commands are real processes on loopback. Each
 * server is behind a proxy of its own, which is the data plane: it knows the policies.
 */
export function startKubelet(sandbox: SandboxCluster, namespace: string, pools: Readonly<Record<string, Pool>>) {
  const known = new Set<string>();
  const children = new Map<string, ChildProcess>();
  const servers = new Map<string, Running>();
  const dead = new Set<string>();
  let addresses = 0;

  const pods = () => sandbox.objects("Pod", namespace) as unknown as readonly Pod[];
  const policies = () => sandbox.objects("NetworkPolicy", namespace) as unknown as readonly Policy[];
  const poolOf = ({ spec }: Pod): { readonly name: string; readonly pool: Pool } => {
    const [term] = spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
    const name = term?.matchExpressions[0]?.values?.[0] ?? "";
    return { name, pool: pools[name] ?? { enforces: false } };
  };
  const partner = (pod: Pod, role: string): string => pod.metadata.name.replace(/(server|client)$/, role);
  const isDenied = (name: string, type: string): boolean => {
    const labels = pods().find(({ metadata }) => metadata.name === name)?.metadata.labels ?? {};
    return policies().some(
      ({ spec }) =>
        spec.policyTypes.includes(type) &&
        Object.entries(spec.podSelector.matchLabels).every(([key, value]) => labels[key] === value),
    );
  };

  /** As real kubelets: the node by the spec, the rest by the status. Resolves when it is stored. */
  async function report({ metadata: { name, uid } }: Pod, status: object, nodeName?: string): Promise<void> {
    const now = pods().find(({ metadata }) => metadata.uid === uid);
    if (now === undefined || now.metadata.deletionTimestamp !== undefined) return;
    const [bound] = nodeName === undefined ? [now] : sandbox.apply({ ...now, spec: { ...now.spec, nodeName } });
    await call("PUT", `${name}/status`, { ...bound, status });
  }

  async function call(method: string, path: string, body: object): Promise<void> {
    const url = `${sandbox.url}/api/v1/namespaces/${namespace}/pods/${path}`;
    const headers = { "content-type": "application/json" };
    await fetch(url, { method, headers, body: JSON.stringify(body) }).catch(() => undefined);
  }

  function run(pod: Pod, { command }: Container, change: (given: object) => object): ChildProcess {
    const given = command.slice(1, -1);
    const order = change(JSON.parse(command.at(-1) ?? "") as object);
    const child = spawn(process.execPath, [...given, JSON.stringify(order)], { stdio: "ignore" });
    children.set(pod.metadata.uid, child);
    return child;
  }

  async function runServer(pod: Pod, { name, pool }: ReturnType<typeof poolOf>): Promise<void> {
    const port = await freePort();
    const child = run(pod, pod.spec.containers[0]!, (order) => ({ ...order, port }));
    const proxy = createServer((socket) => {
      if (pool.serverDies && isDenied(pod.metadata.name, "Ingress")) dead.add(pod.metadata.uid);
      const denied =
        pool.enforces && (isDenied(pod.metadata.name, "Ingress") || isDenied(partner(pod, "client"), "Egress"));
      if (denied || dead.has(pod.metadata.uid)) return socket.destroy();
      const through = connect({ host: "127.0.0.1", port });
      socket.on("error", () => through.destroy());
      through.on("error", () => socket.destroy());
      return socket.pipe(through).pipe(socket);
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    addresses += 1;
    const address = `10.128.0.${addresses}`;
    servers.set(pod.metadata.uid, { address, proxy, port: (proxy.address() as AddressInfo).port });
    child.once("exit", () => void report(pod, { phase: "Failed" }));
    await report(pod, { phase: "Running", podIP: address }, `${name}-1`);
  }

  async function runClient(pod: Pod, { name }: ReturnType<typeof poolOf>): Promise<void> {
    const { initContainers = [], containers } = pod.spec;
    const ended: object[] = [];
    for (const container of [...initContainers, ...containers]) {
      const child = run(pod, container, (order) => {
        const { host } = order as { host: string };
        const server = [...servers.values()].find(({ address }) => address === host);
        return { ...order, host: "127.0.0.1", port: server?.port };
      });
      const [exitCode] = (await once(child, "exit")) as [number | null];
      ended.push({ name: container.name, state: { terminated: { exitCode } } });
      const isLast = ended.length === initContainers.length + 1;
      const phase = exitCode !== 0 ? "Failed" : isLast ? "Succeeded" : "Pending";
      await report(pod, { phase, initContainerStatuses: ended }, `${name}-2`);
      if (exitCode !== 0) return;
    }
  }

  function start(pod: Pod): Promise<void> {
    const pooled = poolOf(pod);
    if (pooled.pool.noImage) {
      const waiting = { reason: "ImagePullBackOff", message: "Back-off pulling image" };
      return report(pod, { phase: "Pending", containerStatuses: [{ name: "server", state: { waiting } }] });
    }
    return pod.metadata.name.endsWith("-server") ? runServer(pod, pooled) : runClient(pod, pooled);
  }

  async function end({ metadata: { name, uid } }: Pod): Promise<void> {
    children.get(uid)?.kill("SIGKILL");
    servers.get(uid)?.proxy.close();
    await call("DELETE", name, { gracePeriodSeconds: 0 });
  }

  const tick = (): void => {
    for (const pod of pods()) {
      const { uid, deletionTimestamp } = pod.metadata;
      const key = deletionTimestamp === undefined ? uid : `${uid} ends`;
      if (known.has(key)) continue;
      known.add(key);
      void (deletionTimestamp === undefined ? start(pod) : end(pod));
    }
  };
  const timer = setInterval(tick, 10);
  return {
    /** Ends all that runs. */
    stop(): void {
      clearInterval(timer);
      for (const child of children.values()) child.kill("SIGKILL");
      for (const { proxy } of servers.values()) proxy.close();
    },
    /** Processes that still run. */
    running: () =>
      [...children.values()].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
