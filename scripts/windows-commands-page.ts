import { catalog, longTexts } from '../src/remote/shells/windows/catalog.js'

/** `docs/windows-commands.md`, made of the same data that the shells send. */
export async function windowsCommandsPage(): Promise<string> {
  return `${[
    '<!-- Made by scripts/generate-windows-commands.ts: change the code, not this page. -->',
    '# What is sent to Windows guests',
    'Every text that is sent over SSH to a Windows guest, so that a person with a real Windows can try each by hand, and so that emulated guests can be written from it. `{HOLES}` are filled in. A source that says `assumed` is nobody’s word but ours: it has not been seen on a real Windows.',
    'A command is stopped by finding its mark in the command lines of processes (wmic-query or a request for `Win32_Process`) and `taskkill`. Files travel over SFTP where the server has it. Of standard input only powershell-service makes use.',
    ...Object.entries(catalog).map(([name, entry]) =>
      [
        `## ${name}`,
        `\`\`\`\n${entry.text}\n\`\`\``,
        entry.why,
        `- Taken by: ${entry.takenBy}`,
        `- Windows Server: ${entry.versions}`,
        `- Answer: ${entry.answer}`,
        `- Source: ${entry.sources.join(' · ')}`,
      ].join('\n\n'),
    ),
    '## Requests to the PowerShell service',
    requests,
    ...Object.entries(longTexts).map(([name, text]) => `## ${name}\n\n\`\`\`powershell\n${text}\n\`\`\``),
    conditions,
    mutants,
  ].join('\n\n')}\n`
}

const requests = `One line a request; fields are separated by tabs; in a field \`\\\` is \`\\\\\`, a tab \`\\t\`, and what is not printable ASCII \`\\uXXXX\`.

| request | fields after the id | rows |
| --- | --- | --- |
| \`wmi\` | namespace, properties joined by commas, class and (where there is one) \` WHERE CONDITION\` | an object a row, the properties in the order asked |
| \`registry\` | \`HKLM\` or \`HKU\`, path | \`{"key":name}\` a subkey, then \`{"name":…,"kind":"String\\|ExpandString\\|Binary\\|DWord\\|MultiString\\|QWord","value":…}\` a value |
| \`now\` | none | \`{"ticks":"…"}\`: 100 ns since 0001-01-01 in UTC |

For example, with tabs as ⇥: \`7⇥wmi⇥root\\\\cimv2⇥Caption,Version⇥Win32_OperatingSystem\`, \`8⇥registry⇥HKLM⇥SOFTWARE\\\\Microsoft\`, \`9⇥now\`.

Answers: \`gc ID row {…}\` each (JSON in ASCII: every value is null, a string, or an array of these; numbers in decimal, truth as \`True\` and \`False\`, times in DMTF form: UTC with \`+000\` from PowerShell 3.0 on, as WMI has them, with the guest’s offset, from 2.0), then \`gc ID end COUNT\`; \`gc ID absent\` for a registry key that is not there; \`gc ID error "…"\` with the message that PowerShell has for it (\`Invalid class \`, \`Invalid query \`, …; the text is not read, only shown).`

const conditions = `## Conditions of WMI queries

The conditions that our shells write, after \`where\` or \`WHERE\`: \`Property = 'text'\`, \`Property = 1\`, \`<>\`, \`<\`, \`>\`, \`<=\`, \`>=\`, \`Property LIKE '%text%'\` (with \`%\`, \`_\` and sets such as \`[k]\`), \`Property IS NULL\`, \`IS NOT NULL\`, \`AND\`, \`OR\`, parentheses, \`TRUE\` and \`FALSE\`. In texts \`\\\` is \`\\\\\` and \`'\` is \`\\'\` (https://learn.microsoft.com/en-us/windows/win32/wmisdk/wql-sql-for-wmi).`

const mutants = `## Mutants

To be described.`
