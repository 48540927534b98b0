import type { Checked, Difference } from "./check.ts";
import type { Expectation } from "./expectations.ts";

/** More differences of one expectation than these are counted only. */
const mostShown = 10;

/** A line for each expectation, the reasons of what is not as expected, and a sum. */
export function checkText(checked: readonly Checked[]): string {
  const lines = checked.flatMap((each) => [
    `${each.differences.length === 0 ? "ok  " : "DIFF"} ${titleOf(each.expectation)}`,
    ...differenceLines(each).map((line) => `       ${line}`),
  ]);
  const held = checked.filter(({ differences }) => differences.length === 0).length;
  return `${[...lines, "", `${held} of ${checked.length} expectations hold.`].join("\n")}\n`;
}

export function checkJson(checked: readonly Checked[]): string {
  const results = checked.map(({ expectation: { name, line, is }, asked, differences, more }) => ({
    ...(name === undefined ? {} : { name }),
    line,
    expected: is,
    holds: differences.length === 0,
    asked,
    differences,
    ...(more === 0 ? {} : { more }),
  }));
  return `${JSON.stringify({ holds: results.every(({ holds }) => holds), expectations: results })}\n`;
}

/** What CI systems read: a test case for each expectation. Names and reasons come from outside, and are escaped. */
export function checkJunit(checked: readonly Checked[], path: string): string {
  const failed = checked.filter(({ differences }) => differences.length > 0).length;
  const cases = checked.map((each) => {
    const name = `name="${xml(titleOf(each.expectation))}" classname="${xml(path)}" file="${xml(path)}" line="${each.expectation.line}"`;
    if (each.differences.length === 0) return `    <testcase ${name}/>`;
    const [first = "", ...rest] = differenceLines(each);
    const failure = `<failure message="${xml(first)}">${xml([first, ...rest].join("\n"))}</failure>`;
    return `    <testcase ${name}>${failure}</testcase>`;
  });
  const counts = `name="${xml(path)}" tests="${checked.length}" failures="${failed}" errors="0" skipped="0"`;
  return suite(counts, cases);
}

/** The same where nothing could be checked, so that no report of an earlier run is taken for this one's. */
export function brokenJunit(problems: readonly string[], path: string): string {
  const error = `<error message="${xml(problems[0] ?? "")}">${xml(problems.join("\n"))}</error>`;
  const counts = `name="${xml(path)}" tests="1" failures="0" errors="1" skipped="0"`;
  return suite(counts, [`    <testcase name="input" classname="${xml(path)}">${error}</testcase>`]);
}

function suite(attributes: string, cases: readonly string[]): string {
  const head = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", `  <testsuite ${attributes}>`];
  return [...head, ...cases, "  </testsuite>", "</testsuites>", ""].join("\n");
}

/** Its name, or what it says; on one line, so that no name looks like the line of another. */
function titleOf({ name, from, to, ports, protocols, is }: Expectation): string {
  if (name !== undefined) return name.replace(/\s+/g, " ").trim();
  const port = ports === "any" ? "any port" : ports.join(", ");
  const protocol = protocols.length === 3 ? "" : `${protocols.join(", ")} `;
  return `${from.join(", ")} → ${to.join(", ")} on ${protocol}${port} is ${is}`;
}

function differenceLines({ expectation, differences, more: untold }: Checked): readonly string[] {
  const lines = differences
    .slice(0, mostShown)
    .flatMap((each) => [
      `${pairOf(each)} is ${each.is === "mixed" ? `not ${expectation.is} for all of them` : `${each.is}, not ${expectation.is}`}.`,
      ...each.why.map((line) => `  ${line}`),
    ]);
  const more = differences.length - mostShown + untold;
  return more > 0 ? [...lines, `And ${more} more.`] : lines;
}

function pairOf({ from, to, protocol, port }: Difference): string {
  return `${from} → ${to} on ${protocol} ${port}`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Without the characters that XML 1.0 cannot hold at all. */
function xml(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "�")
    .replace(/[&<>"']/g, (character) => entities[character] ?? "")
    .replaceAll("\n", "&#10;");
}
