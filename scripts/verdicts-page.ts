import { verdictTable } from '../src/results/verdict-table.js'

/** `docs/verdicts.md`: the table by which every attempt is judged, as it stands in the code. */
export function verdictsPage(): string {
  const rows = verdictTable.map(({ observed, verdict, cause }, index) => {
    const shownCause = cause === undefined ? '' : cause === 'found' ? 'of the trouble' : `\`${cause}\``
    return `| ${index + 1} | ${observed} | \`${verdict}\` | ${shownCause} |`
  })
  return `# Verdicts

<!-- Made by "npm run generate" from src/results/verdict-table.ts: edit that. -->

Nothing becomes a pass but an observed pass. Every attempt of every test, script or module, is judged by the table
below, and by nothing else. The first row that fits decides. What is learnt after the test has ended (a panic on the
console, a lost connection, a lost lease) is added to what was observed, and the table is asked again: that can make a
verdict worse, and never better.

| | observed | verdict | cause |
|---|---|---|---|
${rows.join('\n')}

The cause says whose fault it is: \`guest\`, \`host\`, \`network\`, \`runner\`, \`test\`, or \`unknown\` where what was seen
does not tell. Only \`host\`, \`network\` and \`runner\` are retried, on a new instance. All attempts are kept.

Two further verdicts are for tests of which there was no attempt: \`blocked\`, when something that the test needs did
not pass, and \`not-run\`, when the run ended before it.

## What counts as a check

| protocol | a check | neither held nor failed |
|---|---|---|
| \`tap\` | a test point, at any depth; a parent of subtests only where it says what they do not | \`# TODO\`, \`# SKIP\` |
| \`ktap\` | a result line, at any depth; also those that \`kselftest\` prints as comments before their parent's | \`# SKIP\`, \`# TODO\`, \`# XFAIL\` |
| \`exit\` | the exit status: 0 held, any other up to 128 failed, unless \`codes\` declares it | |
| module | each matcher of \`expect\` | |

Directives are case-insensitive, and follow a \`#\` that stands after white space or the point's number; a \`#\` after a
backslash is part of the text. \`# TODO\` and \`# SKIP\` are directives where the word ends there, or white space,
or \`:\` or another mark follows it: \`# todoist.com\` and \`# skipping\` are text.
`
}
