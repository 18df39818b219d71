import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { wmiClasses } from '../../../src/guests/windows/classes.js'
import { isBefore } from '../../../src/guests/windows/wmi.js'
import { decodeOutput } from '../../../src/remote/shells/windows/decode.js'
import {
  encodedCommand,
  registryFunction,
  serviceText,
} from '../../../src/remote/shells/windows/powershell-text.js'
import {
  encodedArgs,
  pwshVersion,
  runPwsh,
  withoutPwsh,
} from '../../../src/remote/shells/windows/pwsh.test.fixture.js'
import {
  requestLine,
  type ServiceRequest,
  serviceCommand,
} from '../../../src/remote/shells/windows/service.js'
import {
  type Described,
  personaModules,
  personasWithPowerShell,
  type StillGuest,
  stillGuest,
} from '../still-guest.test.helper.js'
import { classesOf } from '../wmi/repository.js'

/**
 * The emulated guest recognises the service and answers as it would. Here the text itself runs in a real PowerShell, with
 * a module that plays WMI and the registry from the same persona: both print the same.
 */
t.setTimeout(600_000)
const folder = mkdtempSync(join(tmpdir(), 'gc-service-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const codePage = 437

/** The conditions that suites, readiness and events write, and those that docs/windows-commands.md promises beside them. */
const conditions: readonly (readonly [properties: string, from: string])[] = [
  ['DeviceID', 'Win32_PnPEntity WHERE ConfigManagerErrorCode <> 0'],
  ['Name,MACAddress', 'Win32_NetworkAdapter WHERE MACAddress IS NOT NULL'],
  ['Name', 'Win32_NetworkAdapter WHERE MACAddress IS NULL'],
  ['Name,State', "Win32_Service WHERE State = 'Start Pending' OR State = 'Stop Pending'"],
  ['Name', "Win32_Service WHERE (State = 'running' AND StartMode = 'Manual') OR Name LIKE 'W[a-m]%'"],
  ['Name', "Win32_Service WHERE StartMode = 'Auto' AND State <> 'Running' AND ExitCode >= 0"],
  ['Name', 'Win32_Service WHERE Started = TRUE AND AcceptStop = FALSE'],
  ['Name', "Win32_Process WHERE Name = 'TiWorker.exe' OR Name = 'svchost.exe'"],
  ['CommandLine,ProcessId', "Win32_Process WHERE CommandLine LIKE '%powershell%'"],
  ['Name', "Win32_Process WHERE ExecutablePath LIKE 'C:\\\\Windows\\\\_ystem32\\\\%'"],
  ['Name', "SoftwareLicensingProduct WHERE PartialProductKey IS NOT NULL AND Name LIKE 'Windows%'"],
  [
    'RecordNumber',
    "Win32_NTLogEvent WHERE Logfile='System' AND (EventCode=6005 OR EventCode=1074) AND RecordNumber>2",
  ],
  ['EventCode', "Win32_NTLogEvent WHERE TimeGenerated>='20200102030405.000000+000' AND EventType < 3"],
]

const refused: readonly ServiceRequest[] = [
  ['wmi', 'root\\cimv2', 'Name', 'Win32_None'],
  ['wmi', 'root\\cimv2', 'NoSuchProperty', 'Win32_Service'],
  ['wmi', 'root\\cimv2', 'Name', "Win32_Service WHERE Name = 'open"],
  ['wmi', 'root\\cimv2', 'Name', 'Win32_Service WHERE NoSuchProperty = 1'],
  ['wmi', 'root\\none', 'Name', 'Win32_Service'],
  ['wmi', 'root\\cimv2', 'Name', "Win32_Service WHERE Name = 'sät\t→ \\\\ \"'"],
  ['registry', 'HKLM', 'SOFTWARE\\None'],
  ['nope'] as unknown as ServiceRequest,
]

function requestsTo({ system }: StillGuest, { registry }: Described): ServiceRequest[] {
  const classes = classesOf(system)
  const whole = [...classes.values()].map(
    ({ name, namespace, properties }): ServiceRequest => [
      'wmi',
      namespace,
      properties.map(it => it.name).join(','),
      name,
    ],
  )
  const ours = Object.entries(wmiClasses).flatMap(([name, { namespace, since, until, properties }]) => {
    const { nt } = system.where
    if ((since !== undefined && isBefore(nt, since)) || (until !== undefined && !isBefore(nt, until)))
      return []
    const names = Object.entries(properties).flatMap(([property, type]) =>
      typeof type === 'string' || !isBefore(nt, type.since) ? [property] : [],
    )
    return [['wmi', namespace ?? 'root\\cimv2', names.join(','), name] satisfies ServiceRequest]
  })
  const keys = Object.keys(registry)
    .filter(path => path.includes('\\'))
    .map((path): ServiceRequest => {
      const at = path.indexOf('\\')
      return ['registry', path.slice(0, at).toUpperCase(), path.slice(at + 1)]
    })
  const asked = conditions
    .filter(([, from]) => classes.has(from.split(' ')[0]?.toLowerCase() ?? ''))
    .map(([properties, from]): ServiceRequest => ['wmi', 'root\\cimv2', properties, from])
  return [...whole, ...ours, ...keys, ...asked, ...refused, ['now']]
}

/** What each request was answered, by its number; 0 is the first line. What no two processes share is masked. */
function answersOf(stdout: Buffer): Map<number, string> {
  const found = new Map<number, string>()
  for (const line of decodeOutput(stdout, codePage).trimEnd().split('\n')) {
    const id = Number(/^gc (\d+) /.exec(line)?.[1] ?? 0)
    const plain = line
      .replace(/^(gc hello \S+) \d+$/, '$1 PID')
      .replace(/"ticks":"\d{18}"/, '"ticks":"TICKS"')
    found.set(id, `${found.get(id) ?? ''}${plain}\n`)
  }
  return found
}

async function compare(t: Test, name: string, forced?: string): Promise<void> {
  const guest = stillGuest(name, forced === undefined ? {} : { version: forced })
  const version = guest.system.persona.powershell?.version ?? ''
  const file = join(folder, `${name}-${version}.json`)
  let requests: readonly ServiceRequest[] = []
  const lines = (): string => requests.map((request, at) => requestLine(at + 1, request)).join('')
  const emulated = await guest.run(serviceCommand, async () => {
    const described = await guest.describe()
    writeFileSync(file, JSON.stringify(described))
    requests = requestsTo(guest, described)
    return lines()
  })
  const text = serviceText.replace(registryFunction, 'function Gc-Hive($n){Get-PersonaHive $n}')
  t.not(text, serviceText)
  const real = await runPwsh(
    encodedArgs(encodedCommand(`$PSVersionTable.PSVersion=[version]'${version}'\n${text}`)),
    {
      stdin: lines(), // The guest's time zone is not UTC.
      env: { PSModulePath: personaModules, GC_PERSONA: file, TZ: 'America/Los_Angeles' },
    },
  )
  t.equal(real.stderr.text, '')
  t.equal(emulated.stderr.toString(), '')
  t.strictSame({ kind: 'code', code: emulated.code }, real.exit)
  const [ours, theirs] = [answersOf(emulated.stdout), answersOf(real.stdout.bytes)]
  t.equal(ours.get(0), `gc hello ${version} PID\n`)
  t.equal(ours.get(0), theirs.get(0))
  t.equal(theirs.size, requests.length + 1, 'every request is answered')
  for (const [at, request] of requests.entries()) {
    const [emulator, pwsh] = [ours.get(at + 1), theirs.get(at + 1)]
    if (emulator !== pwsh) t.equal(emulator, pwsh, request.join(' '))
  }
}

for (const name of [...personasWithPowerShell(), 'windows-2022+not-elevated']) {
  t.test(`${name}: the emulator answers as pwsh ${pwshVersion()} does`, { skip: withoutPwsh }, t =>
    compare(t, name),
  )
}
for (const name of ['windows-2012-r2', 'windows-2025']) {
  t.test(`${name}, by Get-WmiObject`, { skip: withoutPwsh }, t => compare(t, name, '2.0'))
}
