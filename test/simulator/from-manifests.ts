import { compile, type Simulator } from "../../src/simulator/compile.ts";
import { readManifests } from "../../src/simulator/manifests.ts";

/** A cluster out of the text of one YAML file, none of which is broken. */
export function simulatorOf(text: string): Simulator {
  const { snapshot, broken } = readManifests([{ path: "all.yaml", text }]);
  const simulator = compile(snapshot, { engine: undefined, ipBlockMatchesPods: false });
  if (broken.length + simulator.problems.length > 0) throw new Error(JSON.stringify([broken, simulator.problems]));
  return simulator;
}

/** A Deployment whose pods bear its name as label app, with a port named main. */
export function deployment(namespace: string, name: string, port = 80): string {
  const template = `template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{ports: [{name: main, containerPort: ${port}}]}]}}`;
  return `---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: ${name}, namespace: ${namespace}}, spec: {${template}}}\n`;
}

/** A NetworkPolicy by its spec in YAML. */
export function networkPolicy(namespace: string, name: string, spec: string): string {
  return `---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: ${namespace}}, spec: ${spec}}\n`;
}
