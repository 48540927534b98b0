import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const shipped = fileURLToPath(new URL("../../runbooks/allowlists", import.meta.url));

/** One whose end can be waited for, and that needs a second person. */
const brief = `version: 1
name: partner-api
title: Open egress to a partner's addresses, for seconds
when: In the sandbox, to watch an allowance open and close by itself.
owner: sandbox
procedure: egress-to-cidr.md
parameters:
  workload: { type: workload, about: whose pods may connect }
  cidr: { type: cidr, widest: { ipv4: 24 }, about: where they may connect to }
  port: { type: port, default: 443, oneOf: [443, 8443], about: the port there }
opens:
  - { from: { workload: $workload }, to: { cidr: $cidr }, ports: [{ port: $port, protocol: TCP }] }
ttl: { default: 20s, max: 20s, total: 30s }
where: { namespaces: ["*"], clusters: ["*"] }
approvals: { count: 1 }
`;

/** The templates that ship, and one of the sandbox's own. */
export async function writeTemplates(folder: string): Promise<void> {
  await cp(shipped, folder, { recursive: true });
  await writeFile(join(folder, "partner-api.yaml"), brief);
}
