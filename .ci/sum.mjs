import { existsSync, readFileSync } from "node:fs";

/** Prints "N passed, N failed", summed over vitest's JSON reports; exit code 1 where a test failed or none ran. */
const reports = process.argv
  .slice(2)
  .filter((file) => existsSync(file))
  .map((file) => JSON.parse(readFileSync(file, "utf8")));
const sum = (count) => reports.reduce((total, report) => total + report[count], 0);
const passed = sum("numPassedTests");
// A file that could not be loaded has no failed test in it, and is a failure all the same.
const broken = reports
  .flatMap((report) => report.testResults)
  .filter((file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"));
const failed = sum("numFailedTests") + broken.length;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
