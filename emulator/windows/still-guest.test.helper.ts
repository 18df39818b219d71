import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/config/package-root.js'
import { liveOf } from '../hardware/machine.js'
import { loadHostPersona } from '../persona/load.js'
import { Pulse } from '../pulse.js'
import { Clock } from '../system/clock.js'
import { accountsOf } from './identity.js'
import { loadWindowsPersona } from './persona/load.js'
import { makeWindowsPrograms } from './programs/table.js'
import type { RegistryKey, RegistryValue } from './store/registry.js'
import { bootWindows } from './system/boot.js'
import { type Call, runToEnd, splitArguments } from './system/context.js'
import { Environment } from './system/environment.js'
import { makePipe, type Sink } from './system/io.js'
import type { WindowsSystem } from './system/system.js'
import { classesOf, instancesOf } from './wmi/repository.js'
import { CimDate, type WmiValue } from './wmi/values.js'

/** A guest in this process whose clocks stand still, so that whatever reads it sees the same. */
export interface StillGuest {
  readonly system: WindowsSystem
  /**
   * Runs a line in cmd. `input` is asked for once the program has printed its first line, when all processes are there.
   */
  run(line: string, input?: () => Promise<string>): Promise<Answered>
  /** All that WMI and the registry have, as fixtures/powershell/persona reads it. */
  describe(): Promise<Described>
}

/** What a guest has. Keys of the registry are named in lower case, from `hklm` or `hku` on. */
export interface Described {
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, object>>>>
  readonly registry: Readonly<Record<string, object>>
  readonly denied: readonly string[]
}

/** What a command printed, and its status. */
export interface Answered {
  readonly stdout: Buffer
  readonly stderr: Buffer
  readonly code: number
}

const folders = ['fixtures/personas']

/** The folder of the PowerShell module that plays what a described guest has. */
export const personaModules: string = join(packageRoot, 'fixtures/powershell/persona')

/** The shipped guests with a PowerShell that is used. */
export function personasWithPowerShell(): string[] {
  return readdirSync('fixtures/personas')
    .flatMap(file => /^(windows-.*)\.yaml$/.exec(file)?.[1] ?? [])
    .filter(name => loadWindowsPersona(name, folders).powershell)
}

/** Boots a persona, with mutants after a `+`; with the version of PowerShell that is given, if one is. */
export function stillGuest(
  name: string,
  { version, more = [] }: { readonly version?: string; readonly more?: readonly string[] } = {},
): StillGuest {
  const facts = loadWindowsPersona(name, [...more, ...folders])
  const { powershell } = facts
  const persona =
    version === undefined || !powershell ? facts : { ...facts, powershell: { ...powershell, version } }
  const hardware = { vcpus: 2, memoryBytes: 4 * 2 ** 30 }
  const pulse = new Pulse('stopped')
  const booted = bootWindows({
    computerName: 'WIN-1',
    persona,
    machine: {
      hardware,
      live: liveOf(hardware),
      host: loadHostPersona('rhel-9-kvm', folders),
      uuid: '5f0e4a5c-8f61-4d5b-9a1e-0c0d6a4a3b21',
      macAddress: '52:54:00:12:34:56',
    },
    pulse,
    accounts: accountsOf([], persona),
    counters: { powershellStarts: 0 },
    disk: undefined,
    used: new Set(),
    power: () => false,
    cancelPower: () => false,
    goingDown: () => false,
  })
  const now = pulse.nowNs()
  const clock = new Clock(persona.clock ?? {}, () => now)
  const system: WindowsSystem = Object.create(booted, { clock: { value: clock } })
  return { system, run: (line, input) => run(system, line, input), describe: () => describe(system) }
}

async function run(system: WindowsSystem, line: string, input?: () => Promise<string>): Promise<Answered> {
  const [stdin, stdout, stderr] = [makePipe(), collected(), collected()]
  const process = system.processes.spawn({ image: 'cmd.exe', line: `cmd.exe /c ${line}` })
  const programs = makeWindowsPrograms()
  const tail = ` /c "${line}"`
  const call: Call = {
    system,
    process,
    console: { codePage: system.persona.os.oemCodePage },
    env: new Environment(system.environment),
    io: { stdin: stdin.source, stdout, stderr },
    cwd: system.accounts[0]?.profile ?? 'C:\\',
    programs,
    name: 'cmd.exe',
    tail,
    args: splitArguments(tail),
  }
  const cmd = programs.get('cmd.exe')
  if (cmd === undefined) throw new Error('there is no cmd')
  const ended = runToEnd(process, () => cmd(call), stderr)
  if (input) {
    await Promise.race([stdout.began, ended])
    await stdin.sink.write(Buffer.from(await input(), 'latin1'), process.signal)
  }
  stdin.sink.close?.()
  const code = await ended
  return { stdout: stdout.bytes(), stderr: stderr.bytes(), code }
}

function collected(): Sink & { readonly began: Promise<void>; bytes(): Buffer } {
  const chunks: Buffer[] = []
  let begin = (): void => {}
  const began = new Promise<void>(resolve => {
    begin = resolve
  })
  const write = async (data: Buffer): Promise<void> => {
    chunks.push(Buffer.from(data))
    begin()
  }
  return { kind: 'channel', began, write, bytes: () => Buffer.concat(chunks) }
}

async function describe(system: WindowsSystem): Promise<Described> {
  const reader = system.processes.list()[0]
  if (reader === undefined) throw new Error('there is no process')
  const namespaces: Record<string, Record<string, object>> = {}
  for (const [key, { name, namespace, properties }] of classesOf(system)) {
    const broken = system.persona.state.brokenClasses.some(it => it.toLowerCase() === key)
    const rows = broken ? [] : await instancesOf(system, reader, namespace, name)
    namespaces[namespace] ??= {}
    namespaces[namespace][key] = {
      broken,
      properties,
      rows: rows.map(({ values }) => properties.map(it => plain(values.get(it.name) ?? null))),
    }
  }
  const registry: Record<string, object> = {}
  const denied: string[] = []
  const visit = (path: string, { keys, values }: RegistryKey): void => {
    const lower = path.toLowerCase()
    registry[lower] = {
      keys: [...keys.values()].map(({ name }) => name),
      values: [...values.values()].map(dataOf),
    }
    if (system.registry.isDenied(path)) denied.push(lower)
    for (const [name, key] of keys) visit(`${path}\\${name}`, key)
  }
  for (const hive of ['HKLM', 'HKU']) {
    const root = system.registry.find(hive)
    if (root) visit(hive, root)
  }
  return { namespaces, registry, denied }
}

function plain(value: WmiValue): unknown {
  if (value instanceof CimDate || typeof value === 'bigint') return value.toString()
  return value
}

function dataOf({ name, type, data }: RegistryValue): object {
  const shown = Buffer.isBuffer(data) ? data.toString('hex') : typeof data === 'bigint' ? String(data) : data
  return { name, type, data: shown }
}
