import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

/**
 * Prints what failed and why, then "N passed, N failed", summed over vitest's JSON reports; exit code 1 where a test
 * failed or none ran. The end of an output is what is kept of it where not all is.
 */
const reports = process.argv
  .slice(2)
  .filter((file) => existsSync(file))
  .map((file) => JSON.parse(readFileSync(file, "utf8")));
const sum = (count) => reports.reduce((total, report) => total + report[count], 0);
const files = reports.flatMap((report) => report.testResults);
const failures = files.flatMap((file) =>
  file.assertionResults
    .filter((test) => test.status === "failed")
    .map((test) => ({ what: `${nameOf(file)} > ${test.fullName}`, why: test.failureMessages.join("\n") })),
);
// A file that could not be loaded has no failed test in it, and is a failure all the same.
const broken = files
  .filter((file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"))
  .map((file) => ({ what: nameOf(file), why: file.message }));
const passed = sum("numPassedTests");
const failed = sum("numFailedTests") + broken.length;
for (const { what, why } of [...failures, ...broken]) console.log(`Failed: ${what}\n${shortened(why)}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;

function nameOf(file) {
  return relative(process.cwd(), file.name);
}

/** The message and the innermost lines of the stack. */
function shortened(why) {
  const lines = why.split("\n");
  const kept = lines.slice(0, 15).map((line) => `  ${line.slice(0, 300)}`);
  return (lines.length > kept.length ? [...kept, "  …"] : kept).join("\n");
}
