/**
 * Wine's cmd, reg and wmic are another reading of Microsoft's, by people who knew the real ones. Behind an SSH server
 * they are a guest to us: where they know a command, what they make of our lines is what our readers are given here. What
 * they do not know is named too, so that it is seen when a later Wine does.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../remote/connect.js'
import type { CommandResult } from '../../remote/machine.js'
import { type Answer, alone, startServer } from '../../remote/server.test.fixture.js'
import { commandText } from '../../remote/shells/windows/catalog.js'
import { decodeOutput } from '../../remote/shells/windows/decode.js'
import { base64Lines } from '../../remote/shells/windows/files.js'
import { quoteForCmd } from '../../remote/shells/windows/quote.js'
import { startWine } from '../../remote/shells/windows/wine.test.fixture.js'
import { openWindows, WindowsMachine } from '../../remote/windows-machine.js'
import { wmiClasses } from './classes.js'
import { parseReg, readRegistry } from './registry.js'
import { wmiValue } from './values.js'
import { imported, key } from './wine.test.fixture.js'
import { queryWmi, type WmiObject } from './wmi.js'

const wine = await startWine()
const closing: (() => Promise<void>)[] = []
async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).reverse()) {
    await close()
  }
  await wine.close()
}
t.teardown(closeAll)

/** Generous: a program of Wine's takes a third of a second alone and many on a busy machine. */
const slow = {
  firstCommand: 120_000,
  command: 120_000,
  stop: 60_000,
  handshake: 60_000,
  authentication: 60_000,
}

async function open(exec: Answer): Promise<WindowsMachine> {
  const server = await startServer({ exec })
  closing.push(() => server.close())
  const machine = await connect(server.target({ limits: slow }), {
    ...alone,
    become: (ssh, { signal }) => openWindows(ssh, { mark: 'lab/wine', signal }),
  })
  if (!(machine instanceof WindowsMachine)) {
    throw new Error('expected a Windows machine')
  }
  closing.push(() => machine.close())
  return machine
}

async function openBoth(): Promise<Readonly<Record<'cmd' | 'cygwin', WindowsMachine>>> {
  return { cmd: await open(wine.cmd), cygwin: await open(wine.bash) }
}

const machines = await openBoth().catch(async (error: unknown) => {
  await closeAll()
  throw error
})
const { cmd } = machines

/** What Wine says when it does not know something must not change unseen. */
function said({ stdout, stderr, exit }: CommandResult): unknown[] {
  return [exit.kind === 'code' ? exit.code : exit.kind, stdout.text.trim(), stderr.text.trim()]
}

for (const [login, machine] of Object.entries(machines)) {
  t.test(
    `login shell ${login}: known by its probe, and looked at (for, if exist, chcp, ver, reg query)`,
    async t => {
      t.equal(machine.login, login)
      t.match(machine.look, {
        version: /^\d+\.\d+\.\d{4,5}$/,
        powershell: null,
        tools: { cscript: true, reg: true, taskkill: true, wmic: true },
      })
      t.equal(machine.look.codePage, 0, 'Wine has no code page where it has no console')
    },
  )

  t.test(`login shell ${login}: what a variable is set to is what it holds`, async t => {
    // Wine's cmd reads `%^NAME%` in its own way: a percent sign is not tried here, nor what is not ASCII.
    const values = [
      'a b',
      'x&y|z',
      '<in>',
      'say "no',
      "it's",
      'a^b',
      '(c)',
      'a,b;c=d',
      'back\\slash\\',
      '!x!',
    ]
    const named = Object.fromEntries(values.map((value, index) => [`GC_T${index}`, value]))
    const { stdout, exit } = await machine.run('set GC_T', { env: named })
    t.equal(stdout.text, values.map((value, index) => `GC_T${index}=${value}\n`).join(''))
    t.strictSame(exit, { kind: 'code', code: 0 })
  })

  t.test(`login shell ${login}: exit statuses, and output beside them`, async t => {
    // This machine's own processes keep 8 bits: beyond them only our last line tells.
    for (const code of [0, 1, 255, 300, 15007]) {
      const result = await machine.run(`echo out&echo err>&2&exit ${code}`)
      t.strictSame(said(result), [code, 'out', 'err'])
    }
    // Wine ends with 1 where those 8 bits would be 0 (its get_unix_exit_code): that contradicts our line.
    const { exit } = await machine.run('exit 256')
    t.match(exit, { kind: 'unproven', why: /256/ })
    const failed = await machine.run('type C:\\guestcert\\none')
    t.strictSame([failed.exit, failed.stdout.text], [{ kind: 'code', code: 1 }, ''])
    t.not(failed.stderr.text, '')
  })
}

t.test('folders: mkdir, if not exist, rmdir, the temporary folder', async t => {
  t.match(await cmd.temporaryFolder(), /^C:\\windows\\temp$/i)
  const folder = 'C:\\guestcert try\\below'
  for (const _ of ['made', 'there already']) {
    t.strictSame(said(await cmd.run(commandText('mkdir', { FOLDER: folder }))), [0, '', ''])
  }
  const look = `if exist "${folder}\\" echo there`
  t.equal((await cmd.run(look)).stdout.text, 'there\n')
  t.strictSame(said(await cmd.run(commandText('rmdir', { FOLDER: folder }))), [0, '', ''])
  t.equal((await cmd.run(look)).stdout.text, '')
})

t.test('base64 by echo arrives whole, digits before redirections and all', async t => {
  const content = Buffer.from(Array.from({ length: 6000 }, (_, index) => (index * index * 7) % 256))
  for (const line of base64Lines(`${wine.windowsFolder}\\carried`, content)) {
    t.strictSame(said(await cmd.run(line)), [0, '', ''])
  }
  const text = readFileSync(join(wine.folder, 'carried.b64'), 'latin1').replace(/\s/g, '')
  t.ok(Buffer.from(text, 'base64').equals(content))
})

t.test('reg query: every type of value, odd names, subkeys', async t => {
  writeFileSync(join(wine.folder, 'x.reg'), `\ufeff${imported.replaceAll('\n', '\r\n')}`, 'utf16le')
  t.strictSame(said(await cmd.run(`reg import "${wine.windowsFolder}\\x.reg"`)), [0, '', ''])
  const { stdout } = await cmd.run(commandText('reg-query', { KEY: key }))
  // Wine's programs print in code page 437 all the same.
  const { values, keys } = parseReg(decodeOutput(stdout.bytes, 437), key)
  t.strictSame(
    values,
    new Map([
      ['', { kind: 'string', value: 'the default' }],
      ['a    b', { kind: 'string', value: 'x    REG_SZ    y' }],
      ['back\\slash"q', { kind: 'string', value: 'c:\\x\\' }],
      ['binary', { kind: 'binary', value: '00FF10' }],
      ['dword', { kind: 'dword', value: 0xfffffffe }],
      ['empty', { kind: 'string', value: '' }],
      ['expand', { kind: 'expand-string', value: '%W%' }],
      ['Größe', { kind: 'string', value: 'µ' }],
      ['lines', { kind: 'string', value: 'a\nb' }],
      ['multi', { kind: 'multi-string', value: ['o', 't w'] }],
      ['no binary', { kind: 'binary', value: '' }],
      ['no multi', { kind: 'multi-string', value: [] }],
      ['text', { kind: 'string', value: 'a b' }],
    ]),
  )
  t.strictSame(keys, ['Other', 'Sub Key'])
})

t.test('reg query: what the system wrote, subkeys alone, and an absent key', async t => {
  const current = await readRegistry(cmd, 'HKLM\\Software\\Microsoft\\Windows NT\\CurrentVersion')
  t.strictSame(current?.values.get('CurrentBuildNumber'), {
    kind: 'string',
    value: cmd.look.version.split('.').at(-1),
  })
  t.ok(current?.keys.includes('ProfileList'))
  const software = await readRegistry(cmd, 'HKEY_LOCAL_MACHINE\\Software')
  t.ok(software?.keys.includes('Guestcert try'))
  t.equal(await readRegistry(cmd, 'HKLM\\Software\\Guestcert none'), null)
})

t.test('Wine does not know: REG_QWORD, which reg prints as (null)', async t => {
  await t.rejects(readRegistry(cmd, 'HKLM\\Software\\Guestcert wide'), {
    name: 'InfraError',
    message: /the value "qword" of HKLM\\Software\\Guestcert wide is not a number: \(null\)/,
  })
})

/** The cells of a table: its columns are in alphabetical order and all as wide as the longest value, whatever their names. */
function cells(table: string, names: readonly string[]): Record<string, string>[] {
  const [, ...lines] = table.split('\n').filter(line => line.trim() !== '')
  return lines.map(line => {
    const width = line.length / names.length
    const sorted = [...names].sort()
    return Object.fromEntries(sorted.map((name, n) => [name, line.slice(n * width, (n + 1) * width).trim()]))
  })
}

/** By the plain table, which is what Wine has, with the types that our classes give. */
async function table(name: string, ...properties: readonly string[]): Promise<WmiObject[]> {
  const { stdout } = await cmd.run(`wmic path ${name} get ${properties.join(',')}`)
  return cells(stdout.text, properties).map(row =>
    Object.fromEntries(
      properties.map(property => {
        const type = wmiClasses[name]?.properties[property]
        const plain = typeof type === 'object' ? type.type : type
        return [property, wmiValue(row[property] ?? 'absent', plain ?? 'boolean')]
      }),
    ),
  )
}

t.test('wmic: UTF-16 is decoded, and values are of the types of our classes', async t => {
  const { stdout } = await cmd.run('wmic path Win32_OperatingSystem get Caption,Version')
  t.strictSame([...stdout.bytes.subarray(0, 2)], [0xff, 0xfe], 'it writes UTF-16 with its mark')
  t.match(stdout.text, /^Caption +Version +\nMicrosoft Windows /)
  const [system] = await table(
    'Win32_OperatingSystem',
    ...['BuildNumber', 'CurrentTimeZone', 'LastBootUpTime', 'LocalDateTime', 'OSLanguage'],
    ...['ServicePackMajorVersion', 'TotalVisibleMemorySize', 'Version'],
  )
  t.match(system, { Version: cmd.look.version, CurrentTimeZone: 330, OSLanguage: Number })
  const clockMs = system?.LocalDateTime instanceof Date ? system.LocalDateTime.getTime() : 0
  t.ok(Math.abs(Date.now() - clockMs) < slow.command, 'the clock, through its offset from UTC, is ours')
  t.equal(typeof system?.TotalVisibleMemorySize, 'bigint')
  const [computer] = await table(
    'Win32_ComputerSystem',
    ...['Manufacturer', 'NumberOfLogicalProcessors', 'TotalPhysicalMemory'],
  )
  t.match(computer, { Manufacturer: 'The Wine Project', NumberOfLogicalProcessors: cpus().length })
  t.ok(Math.abs(Number(computer?.TotalPhysicalMemory) / totalmem() - 1) < 0.1)
  const [product] = await table('Win32_ComputerSystemProduct', 'UUID')
  t.match(product, { UUID: /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/ })
})

t.test('wmic: many objects, each with all of its values', async t => {
  const services = await table('Win32_Service', 'Name', 'ProcessId', 'StartMode', 'State')
  t.ok(services.length > 10)
  t.match(
    services.find(({ Name }) => Name === 'PlugPlay'),
    { State: 'Running', ProcessId: Number },
  )
  t.match(
    services.find(({ Name }) => Name === 'MSIServer'),
    { State: 'Stopped', StartMode: 'Manual', ProcessId: 0 },
  )
  const disks = await table('Win32_LogicalDisk', 'DeviceID', 'DriveType', 'FreeSpace', 'Size')
  t.match(
    disks.find(({ DeviceID }) => DeviceID === 'C:'),
    { DriveType: 3 },
  )
  t.ok(disks.every(({ FreeSpace, Size }) => typeof Size === 'bigint' && Number(FreeSpace) <= Number(Size)))
})

t.test(
  'Wine does not know: wmic /value, where, an absent class; none of them is taken for an empty answer',
  async t => {
    const get = ['Caption', 'Version']
    await t.rejects(queryWmi(cmd, 'Win32_OperatingSystem', { get }), {
      name: 'InfraError',
      message: /wmic: neither objects nor a word that there are none: Caption +Version/,
    })
    const where = "Name LIKE 'a%'"
    await t.rejects(queryWmi(cmd, 'Win32_Service', { get: ['Name'], where }), {
      name: 'InfraError',
      message: /wmic: status 1: Error: Command line not supported/,
    })
    await t.rejects(queryWmi(cmd, 'Win32_None', { get: { Name: 'string' } }), {
      name: 'InfraError',
      message: /wmic: status 4294967295/,
    })
  },
)

t.test('Wine does not know: taskkill /T, and says so', async t => {
  const result = await cmd.run(commandText('taskkill', { PIDS: ' /PID 4' }))
  t.match(said(result), [1, /^Error: Unknown or invalid command line option specified\./, ''])
})

t.test(
  'Wine does not know: tasklist, certutil, wevtutil, shutdown -c, powershell, which do nothing and succeed',
  async t => {
    const lines = [
      'tasklist /fo csv /nh',
      commandText('decode-base64', { FILE: `${wine.windowsFolder}\\carried` }),
      commandText('wevtutil-query', { LOG: 'System', XPATH: '*[System[(Level=1)]]', COUNT: '1' }),
      commandText('reboot', { NONCE: 'wine' }),
      `powershell.exe -NoLogo -NoProfile -NonInteractive -Command ${quoteForCmd('exit 3')}`,
    ]
    for (const line of lines) {
      t.strictSame(said(await cmd.run(line)), [0, '', ''], line.slice(0, 40))
    }
  },
)

// At last, for it costs the connection.
t.test('a command at its limit that cannot be looked for (wmic where) is not taken for stopped', async t => {
  const result = await cmd.run('echo begun&ping -n 600 127.0.0.1>nul', { limitMs: 3_000, limitName: 'short' })
  t.match(result.exit, { kind: 'limit', limit: 'short' })
  t.ok(cmd.lost.aborted)
  t.match(cmd.lost.reason, {
    name: 'InfraError',
    message:
      /was to be stopped within .* but: wmic: status 1: Error: Command line not supported.*; by PowerShell: /,
  })
})
