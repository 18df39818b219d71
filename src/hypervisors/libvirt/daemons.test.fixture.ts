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
const daemons = ['/usr/sbin/virtlogd', '/usr/sbin/libvirtd'] as const

/**
 * The daemons live in a process namespace of their own, so that all they start ends with them, and its first
 * process reaps at once what they leave: libvirt waits for that. Their QEMU runs as root: where `/dev/kvm` is
 * there for root alone, libvirt 9 else probes QEMU anew for every domain, which takes a minute.
 */
const settingsFile = '/run/libvirt/guestcert-qemu.conf'
const asRoot = ['user = "root"', 'group = "root"']

/** A shell script that runs the daemons with lines of `qemu.conf`; it goes on until it is ended. */
export function daemonsScript(settings: readonly string[]): string {
  const lines = [...asRoot, ...settings].map(line => `'${line}'`).join(' ')
  return [
    `printf '%s\\n' ${lines} >${settingsFile}`,
    `mount --bind ${settingsFile} /etc/libvirt/qemu.conf`,
    `${daemons[0]}& ${daemons[1]}& wait`,
  ].join('\n')
}

/** Starts virtlogd and libvirtd by hand, where no one has, with lines of `qemu.conf`. Needs root and Debian's packages. */
export async function startDaemons(settings: readonly string[] = []): Promise<Daemons> {
  const missing = daemons.find(daemon => !existsSync(daemon))
  if (missing !== undefined) {
    throw new Error(`${missing} is missing: install Debian's packages libvirt-daemon-system libvirt-clients`)
  }
  if (await answers()) {
    return { close: async () => {} }
  }
  await mkdir('/run/libvirt', { recursive: true })
  // They end with this process, however it ends.
  const namespace = [
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--',
    '/bin/sh',
    '-c',
    daemonsScript(settings),
  ]
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'unshare', ...namespace], { stdio: 'ignore' })
  try {
    await untilAnswers(child)
  } catch (error) {
    await end(child)
    throw error
  }
  return { close: () => end(child) }
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

async function untilAnswers(child: ChildProcess): Promise<void> {
  for await (const _ of setInterval(200, null, { signal: AbortSignal.timeout(startLimitMs) })) {
    if (child.exitCode !== null) {
      throw new Error(`libvirt's daemons ended with status ${child.exitCode}`)
    }
    if (await answers()) {
      return
    }
  }
}

/** The namespace's first process does not hear SIGTERM; with it all others end. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
}
