import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort, makeKey, needProgram } from '../src/remote/openssh.test.fixture.js'

/** A machine of busybox alone behind a dropbear, in namespaces of its own. */
export interface Dropbear {
  readonly port: number
  readonly keyPath: string
  /** `SHA256:…` of its host key. */
  readonly hostKey: string
  close(): Promise<void>
}

const server = '/usr/sbin/dropbear'
const busybox = '/usr/bin/busybox'
const startLimitMs = 60_000

/** Makes the machine's root, and starts the server in it. Needs root. */
export async function startDropbear(): Promise<Dropbear> {
  needProgram(server, 'dropbear-bin')
  needProgram(busybox, 'busybox-static')
  const folder = mkdtempSync(join(tmpdir(), 'gc-dropbear-'))
  const root = join(folder, 'root')
  for (const name of [
    'bin',
    'dev',
    'etc',
    'proc',
    'root/.ssh',
    'run',
    'sys',
    'tmp',
    'usr/sbin',
    'var/log',
    'var/tmp',
  ]) {
    mkdirSync(join(root, name), { recursive: true })
  }
  chmodSync(join(root, 'root'), 0o700)
  cpSync(busybox, join(root, 'bin/busybox'))
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (applet !== 'busybox') {
      symlinkSync('busybox', join(root, 'bin', applet))
    }
  }
  symlinkSync('../bin', join(root, 'usr/bin'))
  cpSync(server, join(root, 'usr/sbin/dropbear'))
  for (const [, library = ''] of execFileSync('ldd', [server], { encoding: 'utf8' }).matchAll(
    /(\/lib\S+)/g,
  )) {
    mkdirSync(join(root, dirname(library)), { recursive: true })
    cpSync(library, join(root, library), { dereference: true })
  }
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n')
  writeFileSync(join(root, 'etc/shells'), '/bin/sh\n')
  cpSync('/etc/os-release', join(root, 'etc/os-release'), { dereference: true })
  const keyPath = join(folder, 'client')
  makeKey(keyPath, 'ed25519')
  cpSync(`${keyPath}.pub`, join(root, 'root/.ssh/authorized_keys'))
  chmodSync(join(root, 'root/.ssh'), 0o700)
  const hostKeyPath = join(root, 'etc/host_key')
  const made = execFileSync('dropbearkey', ['-t', 'ed25519', '-f', hostKeyPath], { encoding: 'utf8' })
  const hostKey = /SHA256:\S+/.exec(made)?.[0] ?? ''
  const port = await freePort()
  const script = [
    'mount --make-rprivate /',
    // A root that is not a mount point has no line in /proc/mounts, and df knows no room in it.
    `mount --bind ${root} ${root}`,
    `mount --rbind /dev ${root}/dev`,
    `mount --rbind /sys ${root}/sys`,
    `mount -t proc proc ${root}/proc`,
    `exec chroot ${root} /usr/sbin/dropbear -F -E -m -r /etc/host_key -p 127.0.0.1:${port}`,
  ].join(' && ')
  const child = spawn('unshare', ['-m', '-p', '-f', '--kill-child', 'sh', '-c', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const endWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', endWithUs)
  const close = async (): Promise<void> => {
    process.off('exit', endWithUs)
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    // Its mounts were in a namespace that has gone with it.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await answering(port, child)
  } catch (error) {
    await close()
    throw error
  }
  return { port, keyPath, hostKey, close }
}

async function answering(port: number, child: ChildProcess): Promise<void> {
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000)
  })
  const until = performance.now() + startLimitMs
  while (performance.now() < until && child.exitCode === null) {
    const socket = connect(port, '127.0.0.1')
    const isUp = await once(socket, 'data').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isUp) {
      return
    }
    await pause(20)
  }
  throw new Error(`dropbear did not start: ${said}`)
}
