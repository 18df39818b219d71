import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { InfraError } from '../config/errors.js'
import type { Lab } from '../config/model.js'
import { personasBeside } from '../config/personas.js'
import { accessOf, type EmulatedLab, emulatorEntry, makeKey, type Started, startedOf } from './emulated.js'
import { emulatedLabOf } from './emulated-request.js'

const startLimitMs = 30_000
const endLimitMs = 10_000
const pollMs = 50

interface RunningState extends Started {
  readonly pid: number
  /** Of the lab file and its own personas: another text is another lab. */
  readonly digest: string
}

/** The folder that keeps a lab's ports, host keys and process from one start to the next. */
export function stateFolder(lab: Lab, cache: string): string {
  const name = createHash('sha256').update(lab.file).digest('hex').slice(0, 16)
  return join(cache, 'labs', `${lab.name}-${name}`)
}

/** Finds the emulated lab that `guestcert lab up` has started for this lab file; `null` when it is not up. */
export async function findRunningLab(lab: Lab, cache: string): Promise<EmulatedLab | null> {
  const folder = stateFolder(lab, cache)
  const state = await readState(folder)
  // Not whether a guest answers: one that boots does not, and its lab is up all the same.
  if (state === null || !(await isOurs(state.pid))) {
    return null
  }
  if (state.digest !== (await digestOf(lab))) {
    throw new InfraError(
      `the lab that is up was started from another text of ${lab.file} or of its personas: "guestcert lab down" first`,
      {
        cause: 'runner',
        where: lab.name,
        code: 'driver',
      },
    )
  }
  return { ...accessOf(lab, state, join(folder, 'client_key')), pid: state.pid, close: async () => [] }
}

/** Starts a lab's emulated guests as a process of its own that outlives this one. */
export async function bringLabUp(lab: Lab, cache: string): Promise<EmulatedLab> {
  const entry = emulatorEntry()
  const folder = stateFolder(lab, cache)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { publicKey, keyPath } = await makeKey(folder)
  const logPath = join(folder, 'emulator.log')
  const outPath = join(folder, 'started.json')
  const [log, out] = [openSync(logPath, 'w'), openSync(outPath, 'w')]
  const child = spawn(process.execPath, [entry], { stdio: ['pipe', out, log], detached: true })
  closeSync(log)
  closeSync(out)
  child.stdin?.end(
    `${JSON.stringify({ ...emulatedLabOf(lab, publicKey), stateFolder: folder, lasting: true })}\n`,
  )
  const started = await firstStarted(outPath, child.pid ?? 0, async () =>
    (await readFile(logPath, 'utf8')).trim(),
  )
  child.unref()
  const state: RunningState = { ...started, pid: child.pid ?? 0, digest: await digestOf(lab) }
  await writeFile(join(folder, 'running.json'), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  return { ...accessOf(lab, state, keyPath), pid: state.pid, close: async () => [] }
}

/** Stops what {@link bringLabUp} started for this lab; false when it was not up. */
export async function takeLabDown(lab: Lab, cache: string): Promise<boolean> {
  const folder = stateFolder(lab, cache)
  const state = await readState(folder)
  await rm(join(folder, 'running.json'), { force: true })
  if (state === null || !(await isOurs(state.pid))) {
    return false
  }
  process.kill(state.pid, 'SIGTERM')
  for (const until = performance.now() + endLimitMs; performance.now() < until; await wait(pollMs)) {
    if (!isAlive(state.pid)) {
      return true
    }
  }
  process.kill(state.pid, 'SIGKILL')
  return true
}

async function readState(folder: string): Promise<RunningState | null> {
  const text = await readFile(join(folder, 'running.json'), 'utf8').catch(() => null)
  return text === null ? null : (JSON.parse(text) as RunningState)
}

async function digestOf(lab: Lab): Promise<string> {
  const hash = createHash('sha256').update(await readFile(lab.file))
  const personas = personasBeside(lab.file)
  const names = await readdir(personas, { recursive: true }).catch(() => [])
  for (const name of names.filter(name => name.endsWith('.yaml')).sort()) {
    hash.update(`\n${name}\n`).update(await readFile(join(personas, name)))
  }
  return hash.digest('hex')
}

async function firstStarted(path: string, pid: number, why: () => Promise<string>): Promise<Started> {
  for (const until = performance.now() + startLimitMs; performance.now() < until; await wait(pollMs)) {
    const alive = isAlive(pid)
    const text = await readFile(path, 'utf8')
    if (text.endsWith('\n')) {
      return startedOf(text)
    }
    if (!alive) {
      break
    }
  }
  const context = { cause: 'runner', where: 'emulator', code: 'driver' } as const
  throw new InfraError(`the emulated lab did not start: ${await why()}`, context)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A process id is used again in time: only an emulator of ours is ended. */
async function isOurs(pid: number): Promise<boolean> {
  const cmdline = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null)
  return cmdline === null ? isAlive(pid) && process.platform !== 'linux' : cmdline.includes(emulatorEntry())
}
