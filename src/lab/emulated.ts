import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import ssh2 from 'ssh2'
import { InfraError, UsageError } from '../config/errors.js'
import type { ApiConnection, Lab } from '../config/model.js'
import { packageRoot } from '../config/package-root.js'
import { withDeadline } from '../deadline/deadline.js'
import type { FoundAccess } from '../hypervisors/driver.js'
import { emulatedHostUser, emulatedLabOf, guestName } from './emulated-request.js'

/** How long the emulator may take to say where its guests listen. */
const startLimitMs = 300_000
/** The most that an emulated host bore at once, by its own count. */
export interface HostLoad {
  readonly name: string
  readonly guests: number
  readonly vcpus: number
  readonly memoryBytes: number
}

/** How an emulated host is reached: over SSH, and where it has an API through that. */
export interface HostAccess extends FoundAccess {
  readonly api?: ApiConnection
}

/** A running emulated lab: where each of its guests listens. */
export interface EmulatedLab {
  /** Access by {@link guestName}. */
  readonly access: ReadonlyMap<string, FoundAccess>
  /** Access to hosts, by their ids. */
  readonly hosts: ReadonlyMap<string, HostAccess>
  /** The emulator's process. */
  readonly pid: number
  /** Ends it, if it was started here; resolves to what its hosts counted. */
  close(): Promise<readonly HostLoad[]>
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
    readonly api?: { readonly port: number; readonly certificate: string }
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
  // What an emulated API takes for its password.
  await writeFile(`${keyPath}.pub`, `${pair.public}\n`, { mode: 0o600 })
  return { publicKey: pair.public, keyPath }
}

async function firstLine(lines: Interface, signal: AbortSignal): Promise<Started> {
  const error = (): Error => new Error(`nothing was heard of it in ${startLimitMs} ms`)
  const deadline = { name: 'emulator', ms: startLimitMs, where: 'emulator', signal, error }
  const line = await withDeadline(
    deadline,
    () =>
      new Promise<string>(resolve => {
        lines.once('line', resolve)
      }),
  )
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
  const hostAccess = (host: Started['hosts'][number]): HostAccess => {
    const { api, name } = host
    const password = { kind: 'file', path: `${keyPath}.pub` } as const
    const common = { user: emulatedHostUser, password, tls: '1.2', host: name } as const
    return api === undefined
      ? accessTo(host)
      : {
          ...accessTo(host),
          api: { ...common, url: `https://${host.host}:${api.port}`, certificate: api.certificate },
        }
  }
  return { access, hosts: new Map(hosts.map(host => [host.name, hostAccess(host)])) }
}
