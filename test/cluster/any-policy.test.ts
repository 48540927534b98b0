import { createConnection } from "../../src/kubernetes/connection.ts";
import { anyPolicyContract } from "../contract/any-policy.ts";

const source = { kind: "files", paths: [process.env["KUBECONFIG"] ?? ""] } as const;

anyPolicyContract("the control plane", () => createConnection({ source, now: Date.now }));
