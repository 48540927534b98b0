import { createSpool } from "../../src/audit/spool.ts";
import { anEntry } from "./entries.ts";

/** Spools entries without end into the folder given, and prints the id of each once it is acknowledged. */
const [folder = "", first = "1"] = process.argv.slice(2);
const spool = createSpool(folder, {
  maxBytes: 1e9,
  now: Date.now,
  onProblem: (problem) => void process.stderr.write(problem),
});
for (let number = Number(first); ; number += 1) {
  const entry = anEntry(number, { detail: { filler: "x".repeat(number % 3_000) } });
  const { kind } = await spool.append(entry);
  process.stdout.write(`${kind} ${entry.id}\n`);
}
