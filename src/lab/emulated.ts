import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import ssh2 from 'ssh2'
import { InfraError } from '../config/errors.js'
import type { Guest, Host, Lab, Placement } from '../config/model.js'
import { packageRoot } from '../config/package-root.js'
import type { FoundAccess } from '../hypervisors/static.js'

/** How long the emulator may take to say where its guests listen. */
const startLimitMs = 60_000
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

/** A running emulated lab: where each of its guests listens. */
export interface EmulatedLab {
  /** Access by {@link guestName}. */
  readonly access: ReadonlyMap<string, FoundAccess>
  /** The emulator's process. */
  readonly pid: number
  close(): Promise<void>
}

/** The name of a guest on a host, unique in a lab. */
export function guestName(guest: string, host: string, configuration: string): string {
  return `${guest}.${host}.${configuration}`
}

/** Whether anything in the lab is emulated. */
export function hasEmulatedGuests(lab: Lab): boolean {
  return [...lab.guests.values()].some(guest => guest.emulated !== undefined)
}

/** What the emulator must start for a lab. */
export function emulatedGuestsOf(lab: Lab, publicKey: string): EmulatedGuestRequest[] {
  return [...lab.guests.values()].flatMap(guest =>
    guest.on.flatMap(placement => {
      const host = lab.hosts.get(placement.host)
      return guest.emulated === undefined || host === undefined
        ? []
        : [requestOf(guest, guest.emulated, host, placement, publicKey)]
    }),
  )
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

/** What the emulator says when its guests have their ports. */
export interface Started {
  readonly guests: readonly { name: string; host: string; port: number; hostKeyFingerprint: string }[]
}

/** Starts the emulated guests of a lab in a process of their own, which ends with this one. */
export async function startEmulatedLab(lab: Lab, signal: AbortSignal): Promise<EmulatedLab> {
  const folder = await mkdtemp(join(tmpdir(), 'guestcert-emulated-'))
  const { publicKey, keyPath } = await makeKey(folder)
  const child = spawn(process.execPath, [emulatorEntry()], { stdio: ['pipe', 'pipe', 'inherit'] })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', code => reject(new Error(`the emulator ended with status ${code}`)))
  })
  failed.catch(() => {})
  child.stdin.on('error', () => {})
  child.stdin.write(`${JSON.stringify({ guests: emulatedGuestsOf(lab, publicKey) })}\n`)
  const close = async (): Promise<void> => {
    const isRunning = child.exitCode === null && child.signalCode === null
    const ended = isRunning ? new Promise(resolve => child.once('exit', resolve)) : null
    child.stdin.end()
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const started = await Promise.race([firstLine(child.stdout, signal), failed])
    return { access: accessOf(started, keyPath, goneWith(child)), pid: child.pid ?? 0, close }
  } catch (error) {
    child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
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

/** The program that plays emulated guests. */
export function emulatorEntry(): string {
  return join(packageRoot, 'dist/src/emulator/main.js')
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

/** Makes the key that emulated guests let in. */
export async function makeKey(folder: string): Promise<{ publicKey: string; keyPath: string }> {
  // RSA, since the oldest guests know nothing newer.
  const pair = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048, comment: 'guestcert' })
  const keyPath = join(folder, 'client_key')
  await writeFile(keyPath, pair.private, { mode: 0o600 })
  return { publicKey: pair.public, keyPath }
}

async function firstLine(stream: NodeJS.ReadableStream, signal: AbortSignal): Promise<Started> {
  const lines = createInterface({ input: stream })
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
  return JSON.parse(line) as Started
}

/** How to reach each guest that was started. */
export function accessOf({ guests }: Started, keyPath: string, gone?: AbortSignal): Map<string, FoundAccess> {
  return new Map(
    guests.map(({ name, host, port, hostKeyFingerprint }) => [
      name,
      {
        endpoint: { host, port, jumps: [] },
        keyPath,
        hostKey: hostKeyFingerprint,
        ...(gone === undefined ? {} : { gone }),
      },
    ]),
  )
}
