import { randomBytes } from 'node:crypto'
import t from 'tap'
import { InfraError } from '../src/config/errors.js'
import { readWindowsClock } from '../src/guests/windows/clock.js'
import { readDevices, readServices } from '../src/guests/windows/devices.js'
import { readEvents } from '../src/guests/windows/events.js'
import { runPowerShell } from '../src/guests/windows/powershell.js'
import { readReadiness, untilReady } from '../src/guests/windows/readiness.js'
import { readRegistry } from '../src/guests/windows/registry.js'
import { queryWmi } from '../src/guests/windows/wmi.js'
import { reachWindows } from './emulated-windows.js'

const signal = new AbortController().signal
const currentVersion = 'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion'

/** One of each kind: login shell cmd and Cygwin's bash; no PowerShell, 2.0 and 5.1; files by base64 and by SFTP. */
const kinds = [
  { persona: 'windows-2003-sp2', login: 'cmd', powershell: null, files: 'certutil' },
  { persona: 'windows-2003-r2', login: 'cygwin', powershell: null, files: 'sftp' },
  { persona: 'windows-2008-sp2', login: 'cmd', powershell: null, files: 'sftp' },
  { persona: 'windows-2008-r2-sp1', login: 'cmd', powershell: '2.0', files: 'sftp' },
  { persona: 'windows-2022', login: 'cmd', powershell: '5.1', files: 'sftp' },
] as const

for (const { persona, login, powershell, files } of kinds) {
  t.test(`${persona} answers in the types of every other`, async t => {
    const { machine, close } = await reachWindows(persona)
    t.teardown(close)
    t.equal(machine.login, login)
    t.equal(machine.look.powershell?.slice(0, 3) ?? null, powershell)
    t.equal(await machine.fileWay(), files)

    const [[system], disks, [none], services, devices, key, absent, events] = await Promise.all([
      queryWmi(machine, 'Win32_OperatingSystem', {
        get: ['LastBootUpTime', 'ProductType', 'TotalVisibleMemorySize', 'ServicePackMajorVersion'],
      }),
      queryWmi(machine, 'Win32_LogicalDisk', { get: ['DeviceID', 'Size'], where: 'DriveType = 3' }),
      queryWmi(machine, 'Win32_Process', { get: ['Name'], where: "Name = 'no-such-program.exe'" }),
      readServices(machine, signal),
      readDevices(machine, signal),
      readRegistry(machine, currentVersion, { signal }),
      readRegistry(machine, 'HKLM\\SOFTWARE\\No Such Vendor', { signal }),
      readEvents(machine, 'System', { ids: [6005], count: 1, signal }),
    ])
    t.ok(system?.LastBootUpTime instanceof Date, 'a DMTF time is a time')
    t.ok(Math.abs(Number(system?.LastBootUpTime) - Date.now()) < 3_600_000, 'in UTC, whatever the zone')
    t.equal(system?.ProductType, 3, 'a small number is a number')
    t.equal(typeof system?.TotalVisibleMemorySize, 'bigint', 'one of 64 bits is a bigint')
    t.equal(typeof disks[0]?.Size, 'bigint')
    t.equal(none, undefined, 'an empty answer is an answer')
    t.match(services.find(({ name }) => /^eventlog$/i.test(name))?.state, 'Running')
    t.ok(devices.length > 5)
    t.equal(key?.values.get('InstallDate')?.kind, 'dword')
    t.equal(absent, null, 'a key that is not there is no failure')
    t.equal(events[0]?.id, 6005)
    t.ok((events[0]?.recordNumber ?? 0) > 0)
  })

  t.test(`${persona} takes files and gives them back, and long lines`, async t => {
    const { machine, close } = await reachWindows(persona)
    t.teardown(close)
    const [path, content] = [`${await machine.temporaryFolder()}\\gc file.bin`, randomBytes(40_000)]
    await machine.writeFile(path, content)
    t.ok((await machine.readFile(path)).equals(content))
    const words = Array.from({ length: 1_500 }, (_, index) => `word${index}`).join(' ')
    await t.rejects(machine.run(`echo ${words}`), /cmd reads no line of more than 8000 characters/)
    const lines = await machine.run(
      Array.from({ length: 600 }, (_, index) => `echo line number ${index}`).join('\r\n'),
    )
    t.equal(lines.stdout.text.trimEnd().split('\n').length, 600, 'many lines go by a file')
    t.strictSame(lines.exit, { kind: 'code', code: 0 })
  })

  t.test(`${persona} stops what reaches its limit, and all that it started`, async t => {
    const { guest, machine, close } = await reachWindows(persona, { limits: { stop: 20_000 } })
    t.teardown(close)
    const { exit } = await machine.run('cmd /c ping -n 600 127.0.0.1', { limitMs: 1_500 })
    t.match(exit, { kind: 'limit' })
    t.strictSame(
      guest.processes().filter(({ command }) => /ping/i.test(command)),
      [],
      'nothing of it is left',
    )
  })
}

t.test('forty read-only checks on 2022 cost at most three starts of PowerShell', async t => {
  const { guest, machine, close } = await reachWindows('windows-2022')
  t.teardown(close)
  const keys = ['ProductName', 'CurrentBuild', 'EditionID', 'InstallationType', 'SystemRoot']
  const checks: (() => Promise<unknown>)[] = [
    ...['Caption', 'BuildNumber', 'Version', 'ProductType', 'LastBootUpTime'].map(
      property => () => queryWmi(machine, 'Win32_OperatingSystem', { get: [property] }),
    ),
    ...['Manufacturer', 'Model', 'TotalPhysicalMemory', 'NumberOfProcessors', 'Domain'].map(
      property => () => queryWmi(machine, 'Win32_ComputerSystem', { get: { [property]: 'string' } }),
    ),
    ...keys.map(() => () => readRegistry(machine, currentVersion, { signal })),
    ...Array.from({ length: 10 }, () => () => readServices(machine, signal)),
    ...Array.from({ length: 5 }, () => () => readDevices(machine, signal)),
    ...Array.from(
      { length: 5 },
      () => () => readEvents(machine, 'System', { ids: [6005], count: 1, signal }),
    ),
    ...['C:', 'D:', 'E:', 'F:', 'G:'].map(
      drive => () =>
        queryWmi(machine, 'Win32_LogicalDisk', { get: ['Size'], where: `DeviceID = '${drive}'` }),
    ),
  ]
  t.equal(checks.length, 40)
  await Promise.all(checks.slice(0, 20).map(check => check()))
  for (const check of checks.slice(20)) {
    await check()
  }
  const starts = guest.counters.powershellStarts ?? 0
  t.ok(starts >= 1 && starts <= 3, `${starts} starts`)
})

t.test('a slow class costs only those who ask for it', async t => {
  const { machine, close } = await reachWindows('windows-2022', {
    change: {
      folder: t.testdir(),
      text: 'state: { from: mutant, slowClasses: { Win32_QuickFixEngineering: 20000 } }',
    },
  })
  t.teardown(close)
  const slow = queryWmi(machine, 'Win32_QuickFixEngineering', { get: { HotFixID: 'string' }, limitMs: 3_000 })
  const late = t.rejects(slow, /waited 3\.0 s for the answer .* \(limit: command\)/)
  const others = await Promise.all(
    Array.from({ length: 10 }, () => queryWmi(machine, 'Win32_OperatingSystem', { get: ['Caption'] })),
  )
  t.equal(others.length, 10)
  await late
})

for (const persona of ['windows-2008-sp2', 'windows-2022']) {
  t.test(`on ${persona}, nothing found is told apart from an answer that failed`, async t => {
    const { machine, close } = await reachWindows(persona, {
      change: {
        folder: t.testdir(),
        text: 'state: { from: mutant, emptyClasses: [Win32_PnPEntity], brokenClasses: [Win32_Service] }',
      },
    })
    t.teardown(close)
    t.strictSame(await queryWmi(machine, 'Win32_PnPEntity', { get: ['DeviceID'] }), [])
    await t.rejects(readServices(machine, signal), InfraError)
    await t.rejects(queryWmi(machine, 'Win32_NoSuchClass', { get: { Name: 'string' } }), InfraError)
  })
}

const comment = '# a comment that makes it long\n'
const answers = [
  { script: 'Write-Output ok', output: 'ok\n' },
  { script: 'exit 3', ends: 'exit', status: 3 },
  { script: 'exit 0', ends: 'exit' },
  { script: 'cmd /c exit 5', status: 5 },
  { script: "throw 'no'", errors: ['no'], ends: 'throw' },
  { script: 'Get-Item C:\\none; Write-Output later', output: 'later\n', errors: ['Cannot find path'] },
  { script: `${comment.repeat(400)}'end'`, output: 'end\n' },
]
for (const persona of ['windows-2008-r2-sp1', 'windows-2022', 'windows-2022-powershell']) {
  t.test(`a lab's own PowerShell scripts are answered from the persona on ${persona}`, async t => {
    const { machine, close } = await reachWindows(persona, {
      change: {
        folder: t.testdir(),
        text: `answers: ${JSON.stringify([{ from: 'mutant', list: answers }])}`,
      },
    })
    t.teardown(close)
    const ended = await runPowerShell(machine, 'Write-Output ok', { signal })
    t.match(ended, { how: 'ended', succeeded: true, errors: 0 })
    t.equal(ended.stdout.trim(), 'ok', 'and nothing of ours, of progress or of CLIXML is in it')
    t.match(await runPowerShell(machine, 'exit 3', { signal }), {
      how: 'exit',
      succeeded: false,
      result: { exit: { kind: 'code', code: 3 } },
    })
    t.match(await runPowerShell(machine, 'exit 0', { signal }), { how: 'exit', succeeded: true })
    t.match(await runPowerShell(machine, 'cmd /c exit 5', { signal }), { succeeded: false, lastStatus: 5 })
    t.match(await runPowerShell(machine, "throw 'no'", { signal }), { how: 'threw', succeeded: false })
    t.match(await runPowerShell(machine, 'Get-Item C:\\none; Write-Output later', { signal }), {
      how: 'ended',
      errors: 1,
      succeeded: false,
    })
    const long = await runPowerShell(machine, `${comment.repeat(400)}'end'`, { signal })
    t.equal(long.stdout.trim(), 'end', 'a script longer than a command line goes by a file')
    await t.rejects(
      runPowerShell(machine, 'Get-Process', { signal }),
      {
        message: /not carried out.*"Get-Process" is not a text of guestcert/s,
        context: { cause: 'unknown' },
      },
      'any other is refused, and nobody takes that for the guest',
    )
  })
}

for (const persona of ['windows-2025', 'windows-2022-powershell']) {
  t.test(`on ${persona} without wmic, what reaches its limit is found and stopped`, async t => {
    const { guest, machine, close } = await reachWindows(persona, {
      limits: { stop: 60_000 },
      change: { folder: t.testdir(), text: "missing: [{ from: mutant, names: ['wbem\\wmic.exe'] }]" },
    })
    t.teardown(close)
    t.equal(machine.look.tools.wmic, false)
    await machine.sweep('lab/guest/run')
    const { exit } = await machine.run('cmd /c ping -n 600 127.0.0.1', { limitMs: 1_500 })
    t.match(exit, { kind: 'limit' })
    t.equal(machine.lost.aborted, false, 'it was seen to be gone')
    t.notOk(guest.processes().some(({ command }) => /ping/i.test(command)))
  })
}

t.test('the clock of a guest that starts PowerShell for each question is asked for by a file', async t => {
  const { guest, machine, close } = await reachWindows('windows-2022-powershell+clock-off')
  t.teardown(close)
  await machine.temporaryFolder()
  const before = guest.counters.powershellStarts ?? 0
  const { offsetMs, uncertaintyMs } = await readWindowsClock(machine, signal)
  t.ok(Math.abs(offsetMs - 3_600_000) <= uncertaintyMs + 50, `${offsetMs} ± ${uncertaintyMs} ms`)
  t.ok((guest.counters.powershellStarts ?? 99) <= before + 1, 'no PowerShell is started for each question')
})

t.test('nothing that makes a guest ready goes on when it is not wanted any more', async t => {
  const { machine, close } = await reachWindows('windows-2022', {
    change: {
      folder: t.testdir(),
      text: 'state: { from: mutant, slowClasses: { Win32_Service: 600000, Win32_Process: 600000 } }',
    },
  })
  t.teardown(close)
  const ended = new AbortController()
  const waiting = untilReady(machine, { limitMs: 600_000, signal: ended.signal })
  setTimeout(() => ended.abort(new Error('interrupted')), 500)
  await t.rejects(waiting, /interrupted/)
  // Not even while PowerShell is being started.
  const late = new AbortController()
  const asked = machine.ask(['now'], { signal: late.signal })
  late.abort(new Error('interrupted again'))
  await t.rejects(asked, /interrupted again/)
  await t.rejects(machine.sweep('lab', late.signal), /interrupted again/)
})

t.test('a guest whose login shell is PowerShell answers and keeps quotes', async t => {
  const { machine, close } = await reachWindows('windows-2022-powershell')
  t.teardown(close)
  t.equal(machine.login, 'powershell')
  const [row] = await queryWmi(machine, 'Win32_OperatingSystem', { get: ['BuildNumber'] })
  t.equal(row?.BuildNumber, '20348')
  const { stdout, exit } = await machine.run('echo "a  b" \'c\' ^& %OS% & exit 7')
  t.equal(stdout.text.trimEnd(), '"a  b" \'c\' & Windows_NT')
  t.strictSame(exit, { kind: 'code', code: 7 })
})

for (const persona of ['windows-2003-sp2', 'windows-2008-r2-sp1', 'windows-2022']) {
  t.test(`${persona} is not ready while a reboot is pending, or without an elevated token`, async t => {
    const sound = await reachWindows(persona)
    t.teardown(sound.close)
    t.strictSame(await readReadiness(sound.machine, signal), { unsettled: [], faults: [] })

    const waiting = await reachWindows(`${persona}+pending-reboot`)
    t.teardown(waiting.close)
    const { faults } = await readReadiness(waiting.machine, signal)
    const told = faults.join('; ')
    t.match(told, /Windows Update waits for it/)
    t.match(told, /files are to be renamed/)
    if (persona !== 'windows-2003-sp2') {
      t.match(told, /servicing waits for it/, 'component servicing came with 2008')
    }
    const begun = performance.now()
    await t.rejects(
      untilReady(waiting.machine, { limitMs: 60_000, signal }),
      /not ready: a reboot is pending/,
    )
    t.ok(performance.now() - begun < 30_000, 'what does not pass by itself is not waited for')

    const common = await reachWindows(`${persona}+not-elevated`)
    t.teardown(common.close)
    t.match((await readReadiness(common.machine, signal)).faults.join(), /without an elevated token/)
  })
}

t.test('an update that is being installed is waited for, within the limit', async t => {
  const { machine, close } = await reachWindows('windows-2022', {
    change: {
      folder: t.testdir(),
      text: 'processes: [{ from: mutant, list: [{ image: TiWorker.exe, line: TiWorker.exe -Embedding, user: SYSTEM, session: 0, kb: 9000 }] }]',
    },
  })
  t.teardown(close)
  t.match(await readReadiness(machine, signal), { unsettled: [/TiWorker\.exe is installing/], faults: [] })
  await t.rejects(untilReady(machine, { limitMs: 1_500, signal }), /within the limit "boot" of 1500 ms/)
})
