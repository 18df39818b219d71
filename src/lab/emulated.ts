import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import ssh2 from 'ssh2'
import { InfraError, UsageError } from '../config/errors.js'
import type { Guest, Host, Lab, Placement } from '../config/model.js'
import { packageRoot } from '../config/package-root.js'
import type { FoundAccess } from '../hypervisors/driver.js'

/** How long the emulator may take to say where its guests listen. */
const startLimitMs = 300_000
/** Who logs in to emulated hosts. */
export const emulatedHostUser = 'root'
const defaultVcpus = 1
const defaultMemoryBytes = 2 ** 30

/** What the emulator is asked to start: data, since it shares no code with what is tested against it. */
export interface EmulatedGuestRequest {
  readonly name: string
  readonly persona: string
  readonly personaFolders: readonly string[]
  readonly platform?: string
  readonly hardware: Readonly<Record<string, string | number>>
  readonly users: readonly { name: string; authorizedKeys: readonly string[] }[]
  readonly host: string
  readonly port: number
  readonly faults?: Readonly<Record<string, unknown>>
}

/** What the emulator is asked to start as a host. */
export interface EmulatedHostRequest {
  readonly name: string
  readonly persona: string
  readonly personaFolders: readonly string[]
  readonly users: EmulatedGuestRequest['users']
  readonly vms: readonly EmulatedVmRequest[]
  readonly faults?: Readonly<Record<string, unknown>>
}

/** A virtual machine that stands on an emulated host. */
export interface EmulatedVmRequest {
  readonly name: string
  readonly guest: Pick<EmulatedGuestRequest, 'persona' | 'users' | 'faults'>
  readonly hardware: EmulatedGuestRequest['hardware']
  readonly snapshots: readonly string[]
  readonly images: readonly string[]
}

/** The most that an emulated host bore at once, by its own count. */
export interface HostLoad {
  readonly name: string
  readonly guests: number
  readonly vcpus: number
  readonly memoryBytes: number
}

/** A running emulated lab: where each of its guests listens. */
export interface EmulatedLab {
  /** Access by {@link guestName}. */
  readonly access: ReadonlyMap<string, FoundAccess>
  /** Access to hosts, by their ids. */
  readonly hosts: ReadonlyMap<string, FoundAccess>
  /** The emulator's process. */
  readonly pid: number
  /** Ends it, if it was started here; resolves to what its hosts counted. */
  close(): Promise<readonly HostLoad[]>
}

/** The name of a guest on a host, unique in a lab. */
export function guestName(guest: string, host: string, configuration: string): string {
  return `${guest}.${host}.${configuration}`
}

/** Whether anything in the lab is emulated. */
export function hasEmulatedGuests(lab: Lab): boolean {
  return [...lab.guests.values()].some(guest => guest.emulated !== undefined)
}

/** Whether a host is played and starts its guests itself, as its driver asks it to. */
export function startsGuests({ emulated, driver }: Host): boolean {
  return emulated !== undefined && driver.startsGuests
}

/** What the emulator must start for a lab. */
export interface EmulatedLabRequest {
  readonly guests: readonly EmulatedGuestRequest[]
  readonly hosts: readonly EmulatedHostRequest[]
}

/** What the emulator must start for a lab: guests that run by themselves, and hosts that start theirs. */
export function emulatedLabOf(lab: Lab, publicKey: string): EmulatedLabRequest {
  const placed = [...lab.guests.values()].flatMap(guest =>
    guest.on.flatMap(placement => {
      const host = lab.hosts.get(placement.host)
      return guest.emulated === undefined || host === undefined
        ? []
        : [{ host, placement, request: requestOf(guest, guest.emulated, host, placement, publicKey) }]
    }),
  )
  const hosts = [...lab.hosts.values()].filter(startsGuests)
  return {
    guests: placed.filter(({ host }) => !startsGuests(host)).map(({ request }) => request),
    hosts: hosts.map(host => ({
      name: host.id,
      persona: host.emulated ?? '',
      personaFolders: [join(packageRoot, 'fixtures/personas')],
      users: [{ name: emulatedHostUser, authorizedKeys: [publicKey] }],
      vms: vmsOf(placed.filter(({ host: { id } }) => id === host.id)),
      ...(host.faults === undefined ? {} : { faults: host.faults }),
    })),
  }
}

interface Placed {
  readonly placement: Placement
  readonly request: EmulatedGuestRequest
}

/** Several guests of a lab may be one machine at different clean states. */
function vmsOf(placed: readonly Placed[]): EmulatedVmRequest[] {
  const found = new Map<string, EmulatedVmRequest>()
  for (const { placement, request } of placed) {
    const { clean, vm: name = request.name } = placement
    const { persona, users, faults, hardware } = request
    const known = found.get(name)
    found.set(name, {
      name,
      guest: { persona, users, ...(faults === undefined ? {} : { faults }) },
      hardware,
      snapshots: [...(known?.snapshots ?? []), ...(clean.kind === 'snapshot' ? [clean.name] : [])],
      images: [
        ...(known?.images ?? []),
        ...(clean.kind === 'overlay' || clean.kind === 'copy' ? [clean.path] : []),
      ],
    })
  }
  return [...found.values()]
}

function requestOf(
  guest: Guest,
  persona: string,
  host: Host,
  { configuration, host: hostId }: Placement,
  publicKey: string,
): EmulatedGuestRequest {
  const { vcpus, memoryBytes, firmware, machine, disk, nic, mode } = configuration
  const given = { firmware, machine, disk, nic, mode }
  const hardware = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return {
    name: guestName(guest.id, hostId, configuration.name),
    persona,
    personaFolders: [join(packageRoot, 'fixtures/personas')],
    ...(host.emulated === undefined ? {} : { platform: host.emulated }),
    hardware: {
      vcpus: vcpus ?? defaultVcpus,
      memoryBytes: memoryBytes ?? defaultMemoryBytes,
      ...(hardware as Record<string, string>),
    },
    users: [{ name: guest.login.user, authorizedKeys: [publicKey] }],
    host: '127.0.0.1',
    port: 0,
    ...(guest.faults === undefined ? {} : { faults: guest.faults }),
  }
}

interface Listening {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly hostKeyFingerprint: string
}

/** What the emulator says when its guests and hosts have their ports. */
export interface Started {
  readonly guests: readonly Listening[]
  readonly hosts: readonly (Listening & {
    readonly vms: readonly { name: string; hostKeyFingerprint: string }[]
  })[]
}

/** Starts the emulated guests of a lab in a process of their own, which ends with this one. */
export async function startEmulatedLab(lab: Lab, signal: AbortSignal): Promise<EmulatedLab> {
  const entry = emulatorEntry()
  const folder = await mkdtemp(join(tmpdir(), 'guestcert-emulated-'))
  const { publicKey, keyPath } = await makeKey(folder)
  const child = spawn(process.execPath, [entry], { stdio: ['pipe', 'pipe', 'inherit'] })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject)
    // Not "exit": what it said last is read by then.
    child.once('close', code => reject(new Error(`the emulator ended with status ${code}`)))
  })
  failed.catch(() => {})
  child.stdin.on('error', () => {})
  child.stdin.write(`${JSON.stringify(emulatedLabOf(lab, publicKey))}\n`)
  const lines = createInterface({ input: child.stdout })
  let loads: readonly HostLoad[] = []
  const close = async (): Promise<readonly HostLoad[]> => {
    const isRunning = child.exitCode === null && child.signalCode === null
    const ended = isRunning ? new Promise(resolve => child.once('close', resolve)) : null
    lines.once('line', text => {
      loads = (JSON.parse(text) as { loads: HostLoad[] }).loads
    })
    child.stdin.end()
    await ended
    await rm(folder, { recursive: true, force: true })
    return loads
  }
  try {
    const started = await Promise.race([firstLine(lines, signal), failed])
    return { ...accessOf(lab, started, keyPath, goneWith(child)), pid: child.pid ?? 0, close }
  } catch (error) {
    child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
    if (error instanceof UsageError) {
      throw error
    }
    throw new InfraError(
      `the emulated lab did not start: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: 'runner',
        where: 'emulator',
        code: 'driver',
      },
    )
  }
}

const entryFile = join(packageRoot, 'dist/emulator/main.js')

/** The program that plays emulated guests. Throws UsageError where guestcert is installed without it. */
export function emulatorEntry(): string {
  if (!existsSync(entryFile)) {
    throw new UsageError(
      `the lab has emulated machines, and the emulator is not installed: no file ${entryFile}`,
    )
  }
  return entryFile
}

/** Guests that are played end with their player: whoever waits for one of them is told at once. */
function goneWith(child: ChildProcess): AbortSignal {
  const gone = new AbortController()
  child.once('exit', (code, signal) => {
    const how = signal ?? `status ${code}`
    gone.abort(
      new InfraError(`the emulator ended in the middle (${how})`, {
        cause: 'runner',
        where: 'emulator',
        code: 'lost',
      }),
    )
  })
  return gone.signal
}

/** A key of 2048 bits takes 140 ms of CPU time to make, with every lab. */
const rsaBits = 1024

/** Makes the key that emulated guests let in. */
export async function makeKey(folder: string): Promise<{ publicKey: string; keyPath: string }> {
  // RSA, since the oldest guests know nothing newer; no longer than OpenSSH demands, since it opens played guests alone.
  const pair = ssh2.utils.generateKeyPairSync('rsa', { bits: rsaBits, comment: 'guestcert' })
  const keyPath = join(folder, 'client_key')
  await writeFile(keyPath, pair.private, { mode: 0o600 })
  return { publicKey: pair.public, keyPath }
}

async function firstLine(lines: Interface, signal: AbortSignal): Promise<Started> {
  const line = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`nothing was heard of it in ${startLimitMs} ms`)),
      startLimitMs,
    )
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
    }
    const cancel = (): void => {
      settle()
      reject(signal.reason)
    }
    signal.addEventListener('abort', cancel, { once: true })
    lines.once('line', text => {
      settle()
      resolve(text)
    })
  })
  return startedOf(line)
}

/** Reads what the emulator says first. Throws UsageError when it refuses what it was asked for. */
export function startedOf(line: string): Started {
  const said = JSON.parse(line) as Started | { readonly refused: string }
  if ('refused' in said) {
    throw new UsageError(said.refused)
  }
  return said
}

/** How to reach what was started. Guests that a host starts are reached as its driver finds them. */
export function accessOf(
  lab: Lab,
  { guests, hosts }: Started,
  keyPath: string,
  gone?: AbortSignal,
): Pick<EmulatedLab, 'access' | 'hosts'> {
  const accessTo = ({ host, port, hostKeyFingerprint }: Listening): FoundAccess => ({
    endpoint: { host, port, jumps: [] },
    keyPath,
    hostKey: hostKeyFingerprint,
    ...(gone === undefined ? {} : { gone }),
  })
  const access = new Map(guests.map(guest => [guest.name, accessTo(guest)]))
  for (const { id, on } of lab.guests.values()) {
    for (const { host, vm, configuration } of on) {
      const found = hosts.find(({ name }) => name === host)
      const machine = found?.vms.find(({ name }) => name === vm)
      if (found !== undefined && machine !== undefined) {
        const name = guestName(id, host, configuration.name)
        access.set(name, { ...accessTo(found), hostKey: machine.hostKeyFingerprint })
      }
    }
  }
  return { access, hosts: new Map(hosts.map(host => [host.name, accessTo(host)])) }
}
