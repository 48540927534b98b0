import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { checkout, type Manifest, parseManifests } from "./manifests.ts";

/** Whether this machine has kubectl, whose kustomize needs no cluster. Without it what renders is not tested. */
export const hasKubectl = works(["version", "--client"]);

function works(args: readonly string[]): boolean {
  try {
    execFileSync("kubectl", args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** What `kubectl apply -k` would apply. */
export function render(folder: string): readonly Manifest[] {
  return parseManifests(execFileSync("kubectl", ["kustomize", join(checkout, folder)], { encoding: "utf8" }));
}

/** The same for a folder of somebody's own beside deploy/base, which is there only meanwhile. */
export function renderOwn(kustomization: unknown, files: Readonly<Record<string, string>> = {}): readonly Manifest[] {
  const folder = mkdtempSync(join(checkout, "deploy/.test-"));
  try {
    const text = typeof kustomization === "string" ? kustomization : stringify(kustomization);
    for (const [name, content] of Object.entries({ ...files, "kustomization.yaml": text })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return render(folder.slice(checkout.length));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
