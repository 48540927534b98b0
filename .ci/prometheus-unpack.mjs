// Runs on Node 20 with nothing installed: no packages, no TypeScript.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { unpackDebian } from "./debian-unpack.mjs";

const advice =
  "No prometheus, promtool and alertmanager: set PROMETHEUS_HOME to a folder that holds the three programs, " +
  "as unpacked from their releases.";

/** Prometheus, promtool and Alertmanager from Debian's packages in the cache folder, or PROMETHEUS_HOME. Returns the folder. */
export function unpackPrometheus() {
  if (process.env.PROMETHEUS_HOME) return process.env.PROMETHEUS_HOME;
  return unpackDebian({
    name: "prometheus",
    install: ["prometheus", "prometheus-alertmanager"],
    needed: /^(libc6|prometheus|prometheus-alertmanager)_/,
    programs: ["usr/bin/prometheus", "usr/bin/promtool", "usr/bin/prometheus-alertmanager"],
    advice,
    finish: relocate,
  });
}

/**
 * Debian's Alertmanager reads its templates from a path of the system and from nowhere else: here from the folder that it
 * runs in, `tree`, by a path of the same length.
 */
function relocate(tree) {
  const file = join(tree, "usr/bin/prometheus-alertmanager");
  const program = readFileSync(file, "latin1");
  const [path, nearby] = ["/usr/share/prometheus/alertmanager", "usr//share/prometheus/alertmanager"];
  if (!program.includes(path)) throw new Error("this Alertmanager keeps its templates elsewhere");
  writeFileSync(file, program.replaceAll(path, nearby), "latin1");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) console.log(unpackPrometheus());
