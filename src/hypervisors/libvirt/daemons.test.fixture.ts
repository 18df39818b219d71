import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { setInterval } from 'node:timers/promises'
import { execa } from 'execa'

/** libvirt's daemons as started here; those that ran already are left as they are. */
export interface Daemons {
  close(): Promise<void>
}

export const systemUri = 'qemu:///system'
const startLimitMs = 30_000
const stopLimitMs = 10_000
const daemons = ['/usr/sbin/virtlogd', '/usr/sbin/libvirtd'] as const

/** Starts virtlogd and libvirtd by hand, where no one has. Needs root and Debian's packages. */
export async function startDaemons(): Promise<Daemons> {
  const missing = daemons.find(daemon => !existsSync(daemon))
  if (missing !== undefined) {
    throw new Error(`${missing} is missing: install Debian's packages libvirt-daemon-system libvirt-clients`)
  }
  if (await answers()) {
    return { close: async () => {} }
  }
  await mkdir('/run/libvirt', { recursive: true })
  const started: ChildProcess[] = []
  const close = async (): Promise<void> => {
    for (const child of started.reverse()) {
      await end(child)
    }
  }
  try {
    for (const daemon of daemons) {
      started.push(spawn(daemon, [], { stdio: 'ignore' }))
    }
    await untilAnswers(started)
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

/** Runs virsh on this machine; gives its standard output. */
export async function localVirsh(...args: readonly string[]): Promise<string> {
  const { stdout } = await execa('virsh', ['-c', systemUri, ...args], {
    env: { LC_ALL: 'C' },
    timeout: 300_000,
  })
  return stdout
}

async function answers(): Promise<boolean> {
  // A daemon that is not there is asked for in vain, not waited for.
  const { exitCode } = await execa('virsh', ['-c', systemUri, 'version'], { reject: false, timeout: 10_000 })
  return exitCode === 0
}

async function untilAnswers(children: readonly ChildProcess[]): Promise<void> {
  for await (const _ of setInterval(200, null, { signal: AbortSignal.timeout(startLimitMs) })) {
    const ended = children.find(child => child.exitCode !== null)
    if (ended !== undefined) {
      throw new Error(`${ended.spawnfile} ended with status ${ended.exitCode}`)
    }
    if (await answers()) {
      return
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return
  }
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
  await ended
  clearTimeout(timer)
}
