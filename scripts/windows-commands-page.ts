import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../src/config/package-root.js'
import { wmiClasses } from '../src/guests/windows/classes.js'
import { readinessKeys } from '../src/guests/windows/readiness.js'
import { catalog, longTexts } from '../src/remote/shells/windows/catalog.js'

/** `docs/windows-commands.md`, made of the same data that the shells send. */
export async function windowsCommandsPage(): Promise<string> {
  return `${[
    '<!-- Made by scripts/generate-windows-commands.ts: change the code, not this page. -->',
    '# What is sent to Windows guests',
    'Every text that is sent over SSH to a Windows guest, so that a person with a real Windows can try each by hand, and so that emulated guests can be written from it. `{HOLES}` are filled in. A source that says `assumed` is nobody’s word but ours: it has not been seen on a real Windows.',
    'A command is stopped by finding its mark in the command lines of processes (wmic-query or a request for `Win32_Process`) and `taskkill`. Files travel over SFTP where the server has it, under `/C:/Windows` first (Microsoft’s OpenSSH), under `/cygdrive/c/Windows` first where the login shell is Cygwin’s, else under `/C/Windows`; folders are made by cmd. Of standard input only powershell-service makes use.',
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
    classes(),
    registryKeys(),
    await suiteLines(),
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

function classes(): string {
  const rows = Object.entries(wmiClasses).map(([name, { namespace, since, until, properties }]) => {
    const place = namespace === undefined ? '' : `, in ${namespace.replaceAll('\\', '\\\\')}`
    const versions =
      since !== undefined ? `NT ${since} and later` : until !== undefined ? `before NT ${until}` : 'all'
    const list = Object.entries(properties).map(([property, type]) =>
      typeof type === 'string'
        ? `${property} ${type}`
        : `${property} ${type.type} (NT ${type.since} and later)`,
    )
    return `| ${name}${place} | ${versions} | ${list.join(', ')} |`
  })
  return [
    '## WMI classes that are asked for',
    'With the properties that we know and their types. NT 5.2 is 2003, 6.0 is 2008, 6.1 is 2008 R2, 6.3 is 2012 R2, 10.0 is 2016 and later. A property that a version lacks is not asked for there.',
    ['| class | in | properties |', '| --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n')
}

function registryKeys(): string {
  const rows = [
    ...readinessKeys,
    [
      'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion',
      'CurrentBuildNumber, or CurrentBuild (asked for by the test version)',
    ] as const,
  ].map(([key, what]) => `| \`${key}\` | ${what} |`)
  return [
    '## Registry keys that are asked for',
    ['| key | on a guest that is ready |', '| --- | --- |', ...rows].join('\n'),
  ].join('\n\n')
}

/** What the shipped suite runs in cmd beyond the catalogue. */
async function suiteLines(): Promise<string> {
  const folder = join(packageRoot, 'suites/windows')
  const rows: string[] = []
  for (const name of (await readdir(folder)).filter(file => file.endsWith('.ts')).sort()) {
    const text = await readFile(join(folder, name), 'utf8')
    for (const [, quoted = '', template] of text.matchAll(
      /guest\.run\(\s*(?:'((?:[^'\\\\]|\\\\.)*)'|`([^`]*)`)/g,
    )) {
      const line = (template ?? quoted).replaceAll('\\\\', '\\')
      rows.push(`| ${name.replace('.ts', '')} | \`${line.replaceAll('|', '\\|')}\` |`)
    }
  }
  return [
    '## Lines of cmd that the suite runs',
    'What stands in braces after a dollar is a number or a path. Each goes through `marked`, with the variables that say what the lab says (`GC_…`).',
    ['| test | line |', '| --- | --- |', ...rows].join('\n'),
  ].join('\n\n')
}

const conditions = `## Conditions of WMI queries

The conditions that our shells write, after \`where\` or \`WHERE\`: \`Property = 'text'\`, \`Property = 1\`, \`<>\`, \`<\`, \`>\`, \`<=\`, \`>=\`, \`Property LIKE '%text%'\` (with \`%\`, \`_\` and sets such as \`[k]\`), \`Property IS NULL\`, \`IS NOT NULL\`, \`AND\`, \`OR\`, parentheses, \`TRUE\` and \`FALSE\`. In texts \`\\\` is \`\\\\\` and \`'\` is \`\\'\` (https://learn.microsoft.com/en-us/windows/win32/wmisdk/wql-sql-for-wmi).`

const mutants = `## Mutants

What each mutant that suites/windows names must change in the system; the tests are not told of it.

| mutant | what is otherwise in the guest |
| --- | --- |
| lost-status | cmd ends with status 0 whatever its line ended with |
| wrong-build | the build is another release's, everywhere: \`ver\`, \`Win32_OperatingSystem\` (Version, BuildNumber), \`CurrentVersion\` in the registry |
| one-cpu-less | Windows uses one processor less than the machine has: \`Win32_ComputerSystem\`, \`Win32_Processor\` |
| half-memory | \`TotalPhysicalMemory\` and \`TotalVisibleMemorySize\` are half |
| wrong-uuid | the firmware has none: \`Win32_ComputerSystemProduct.UUID\` is FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF |
| wrong-hypervisor | manufacturer and model (\`Win32_ComputerSystem\`) are another hypervisor’s |
| device-error | a device has ConfigManagerErrorCode 28 (no driver) |
| blind-devices | \`Win32_PnPEntity\` answers every query with no object, without an error |
| unsigned-driver | a driver in \`Win32_PnPSignedDriver\` has IsSigned false and no Signer |
| kdnic | the network card’s ServiceName is \`kdnic\` |
| service-stopped | a service with StartMode Auto that is not a trigger-started one (EventLog, LanmanServer) has State Stopped and ExitCode 1067 |
| dirty-shutdown | event 6008 (EventLog; and 41 of Microsoft-Windows-Kernel-Power from 2008 on) after the newest 6005 |
| stop-error | event 1001 of BugCheck (2008 and later) or Save Dump (2003), and C:\\WINDOWS\\MEMORY.DMP |
| critical-events | event 11 of Disk, level 2 (error), after the newest 6005 |
| clock-off | the clock is an hour ahead |
| evaluation-ended | \`SoftwareLicensingProduct\`: LicenseStatus 5 (notification), GracePeriodRemaining 0; 2003: \`Win32_WindowsProductActivation\`: ActivationRequired 1, RemainingEvaluationPeriod 0 |
| disk-corrupts | every file of 1 MiB and more has a byte changed when it is read or copied |
| lying-reboot | \`shutdown -r\` ends with status 0 and cuts the connection; nothing else happens |`
