import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { z } from 'zod'
import { InfraError, UsageError } from '../config/errors.js'
import type { Host, Lab } from '../config/model.js'
import { connectionLimits, hostLimits } from '../hypervisors/limit.js'
import type { BuiltImage } from '../hypervisors/shared/image.js'
import { describeMissing, missingTools, runTool, tail } from '../hypervisors/shared/tool.js'
import { connectWithRetries } from '../remote/index.js'
import { hostArguments, hostProgram } from './host-arguments.js'
import { buildImage } from './images/build.js'
import { loadRecipe } from './images/recipe.js'
import { stateFolder } from './running.js'

const stateSchema = z.object({ pid: z.int().positive(), startTime: z.string(), image: z.string() })
type HostState = z.infer<typeof stateSchema>

/** A host of a lab that runs in QEMU on this machine. */
export interface MadeHost {
  readonly host: Host
  readonly pid: number
  readonly image: BuiltImage
  /** False when it was up already. */
  readonly started: boolean
}

export interface MadeHostOptions {
  readonly cacheFolder: string
  readonly signal: AbortSignal
  readonly onProgress: (line: string) => void
}

/** The hosts of a lab that `guestcert lab up` boots from an image. */
export function madeHostsOf(lab: Lab): Host[] {
  return [...lab.hosts.values()].filter(({ image }) => image !== undefined)
}

/** Builds the host's image if need be, boots it, and waits until it answers. */
export async function bringHostUp(lab: Lab, host: Host, options: MadeHostOptions): Promise<MadeHost> {
  const { cacheFolder, signal, onProgress } = options
  const endpoint = host.connect?.endpoint
  if (host.image === undefined || endpoint === undefined || !/^127\.\d+\.\d+\.\d+$/.test(endpoint.host)) {
    throw new UsageError(
      `host "${host.id}": a host with an "image" runs on this machine: expected connect: { ssh: "root@127.0.0.1:PORT", … }`,
    )
  }
  const missing = missingTools([hostProgram, 'qemu-img', 'setpriv'])
  if (missing.length > 0) {
    throw new UsageError(`host "${host.id}": ${describeMissing(missing)}`)
  }
  const image = await buildImage(await loadRecipe(host.image), { cacheFolder, signal, onProgress })
  const folder = hostFolder(lab, host, cacheFolder)
  const before = await readState(folder)
  if (before !== null && (await isOurs(before))) {
    if (before.image !== image.folder) {
      throw new UsageError(`host "${host.id}" is up from another image: "guestcert lab down" first`)
    }
    await untilAnswers(host, image, before, folder, signal)
    return { host, pid: before.pid, image, started: false }
  }
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const overlay = join(folder, 'overlay.qcow2')
  const create = ['create', '-q', '-f', 'qcow2', '-F', image.diskFormat, '-b', image.disk, overlay]
  await runTool('qemu-img', create, {
    signal,
    limit: hostLimits(host.limits).storage,
    where: host.id,
    cause: 'runner',
  })
  onProgress(`booting ${host.id} in software emulation; its console is ${join(folder, 'console.log')}`)
  const log = openSync(join(folder, 'qemu.log'), 'w')
  const args = hostArguments({
    name: host.id,
    image,
    overlay,
    console: join(folder, 'console.log'),
    endpoint,
  })
  const child = spawn(hostProgram, args, { stdio: ['ignore', log, log], detached: true })
  child.unref()
  const { pid } = child
  if (pid === undefined) {
    throw trouble(host, `${hostProgram} did not start`)
  }
  const state: HostState = { pid, startTime: (await startTimeOf(pid)) ?? '', image: image.folder }
  await writeFile(join(folder, 'running.json'), `${JSON.stringify(state)}\n`)
  try {
    await untilAnswers(host, image, state, folder, signal)
  } catch (error) {
    await end(state, host)
    throw error
  }
  return { host, pid, image, started: true }
}

/** Ends a host that {@link bringHostUp} has booted, and forgets its disk; false when it was not up. */
export async function takeHostDown(lab: Lab, host: Host, cacheFolder: string): Promise<boolean> {
  const folder = hostFolder(lab, host, cacheFolder)
  const state = await readState(folder)
  const wasUp = state !== null && (await isOurs(state))
  if (wasUp) {
    await end(state, host)
  }
  await rm(folder, { recursive: true, force: true })
  return wasUp
}

async function untilAnswers(
  host: Host,
  image: BuiltImage,
  state: HostState,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const { boot, lookEvery } = hostLimits(host.limits)
  const startedAt = performance.now()
  for await (const _ of setInterval(lookEvery.ms, null, { signal })) {
    if (!(await isOurs(state))) {
      const said = tail(await readFile(join(folder, 'qemu.log'), 'utf8').catch(() => ''))
      throw trouble(host, `QEMU ended while the host booted: ${said}`)
    }
    // Before the console says so a connection would only wait, and cost the boot its time.
    const console = await readFile(join(folder, 'console.log'), 'latin1').catch(() => '')
    if (console.includes(image.manifest.bootedMark)) {
      await firstCommand(host, image, signal)
      return
    }
    if (performance.now() - startedAt > boot.ms) {
      const message = `no "${image.manifest.bootedMark}" on its console within ${boot.name} (${boot.ms} ms): ${tail(console)}`
      throw trouble(host, message)
    }
  }
}

/** Proves that the host can be logged in to, and that its hypervisor answers. */
async function firstCommand(host: Host, image: BuiltImage, signal: AbortSignal): Promise<void> {
  if (host.connect === undefined) {
    return
  }
  const { endpoint, login } = host.connect
  const keys = { keyPath: image.keyPath, hostKey: image.hostKey }
  const limits = connectionLimits(hostLimits(host.limits))
  // Its console may be ahead of its SSH server.
  const machine = await connectWithRetries({ endpoint, login, label: host.id, limits, image: keys, signal })
  try {
    const { exit, stderr } = await machine.run(image.hypervisor === undefined ? 'true' : 'xl info', {
      signal,
    })
    if (exit.kind !== 'code' || exit.code !== 0) {
      throw trouble(host, `it booted, but its hypervisor does not answer: ${tail(stderr.text)}`)
    }
  } finally {
    await machine.close()
  }
}

async function end(state: HostState, { limits }: Pick<Host, 'limits'>): Promise<void> {
  if (!(await isOurs(state))) {
    return
  }
  process.kill(state.pid, 'SIGKILL')
  const startedAt = performance.now()
  for await (const _ of setInterval(50)) {
    if (!(await isOurs(state)) || performance.now() - startedAt > hostLimits(limits).destroy.ms) {
      return
    }
  }
}

function hostFolder(lab: Lab, host: Host, cacheFolder: string): string {
  return join(stateFolder(lab, cacheFolder), 'hosts', host.id)
}

async function readState(folder: string): Promise<HostState | null> {
  const text = await readFile(join(folder, 'running.json'), 'utf8').catch(() => null)
  return text === null ? null : stateSchema.parse(JSON.parse(text))
}

/** A process id is used again in time: only the process that we started is ours. */
async function isOurs({ pid, startTime }: HostState): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime
}

/** When a process began, in clock ticks since the machine's boot (proc(5)); `null` when it is gone. */
async function startTimeOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null)
  const [state, ...rest] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return state === undefined || state === 'Z' ? null : (rest[18] ?? null)
}

function trouble(host: Host, why: string): InfraError {
  return new InfraError(`host ${host.id}: ${why}`, { cause: 'host', where: host.id, code: 'driver' })
}
