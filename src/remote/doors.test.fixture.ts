/**
 * Real SSH servers behind odd doors: OpenSSH and dropbear, each in mount and process namespaces of its own, with its
 * own users, PAM, programs and folders laid over the machine's. Nothing of the machine is changed. Needs root.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fingerprint, freePort, makeKey, needProgram } from './openssh.test.fixture.js'

/** What is odd about a server. */
export interface DoorOptions {
  /** Lines of `sshd_config`, before those that every door has. */
  readonly sshd?: readonly string[]
  /** A shell text that is run as root within the namespaces before the server starts; `$1` is the key's public half. */
  readonly setUp?: string
  /** `dropbear` answers instead of OpenSSH, with a file system of busybox alone. */
  readonly server?: 'openssh' | 'dropbear'
  /** The type of the client's key. */
  readonly keyType?: string
}

/** A server that runs. */
export interface Door {
  readonly port: number
  readonly keyPath: string
  /** `SHA256:…` */
  readonly hostKey: string
  /** What the server has written to its log. */
  log(): string
  close(): Promise<void>
}

const startLimitMs = 20_000

/** Users, programs and folders are of the namespace alone: what is written to them ends with it. */
const ownFolders = `set -e
mount --make-rprivate /
mount -t tmpfs -o size=64m doors /mnt
for folder in etc usr root home; do
  mkdir -p /mnt/$folder/upper /mnt/$folder/work
  mount -t overlay doors -o lowerdir=/$folder,upperdir=/mnt/$folder/upper,workdir=/mnt/$folder/work /$folder
done
mount -t tmpfs -o size=32m,mode=1777 doors /var/tmp
mount -t tmpfs -o size=8m,mode=755 doors /run
mkdir -p /run/sshd /run/user
rm -rf /root/.ssh /root/.profile /root/.bashrc /etc/ssh/ssh_host_*
mkdir -m 700 /root/.ssh
`

/** A root of busybox alone: its links, a few devices, /proc, and the server with what it is linked to. */
const busyboxRoot = `set -e
mount --make-rprivate /
mount -t tmpfs -o size=64m doors /mnt
cd /mnt
mkdir -p bin sbin etc proc dev root/.ssh tmp var/tmp run lib lib64 usr/lib usr/bin usr/sbin
chmod 700 root root/.ssh; chmod 1777 tmp var/tmp
cp /usr/bin/busybox bin/busybox
for name in $(bin/busybox --list); do [ -e bin/$name ] || ln -s busybox bin/$name; done
rm -f bin/ssl_client
cp /usr/sbin/dropbear sbin/
for file in $(ldd /usr/sbin/dropbear | grep -o '/[^ ]*') /lib/x86_64-linux-gnu/libnss_files.so.2; do
  [ -e $file ] && mkdir -p ./$(dirname $file) && cp -L $file ./$file
done
for name in null zero urandom random tty ptmx; do touch dev/$name; mount --bind /dev/$name dev/$name; done
echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
echo 'root:x:0:' >etc/group
echo '/bin/sh' >etc/shells
mount -t proc proc proc
`

/** Starts a server. Throws saying what it wrote when it does not answer. */
export async function openDoor(options: DoorOptions = {}): Promise<Door> {
  const { sshd = [], setUp = '', server = 'openssh', keyType = 'ed25519' } = options
  needProgram('/usr/sbin/sshd', 'openssh-server')
  const folder = mkdtempSync(join(tmpdir(), 'gc-door-'))
  const keyPath = join(folder, 'client')
  const hostKeyPath = join(folder, 'host')
  makeKey(keyPath, keyType)
  makeKey(hostKeyPath, 'ed25519')
  const port = await freePort()
  const [script, hostKey] =
    server === 'openssh'
      ? [openSsh(setUp), fingerprint(hostKeyPath)]
      : [dropbear(setUp), fingerprint(hostKeyPath)]
  writeFileSync(join(folder, 'sshd_config'), configOf(sshd, port, hostKeyPath))
  writeFileSync(join(folder, 'start.sh'), script)
  const child = spawn(
    'unshare',
    ['-m', '-p', '-f', '--mount-proc', '--kill-child', 'sh', join(folder, 'start.sh'), folder, String(port)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const endWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', endWithUs)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-20_000)
    })
  }
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    process.off('exit', endWithUs)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await answering(port, child)
  } catch (error) {
    await close()
    throw new Error(`the door did not open: ${said}`, { cause: error })
  }
  return { port, keyPath, hostKey, log: () => said, close }
}

function configOf(lines: readonly string[], port: number, hostKey: string): string {
  return [
    ...lines,
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${hostKey}`,
    'PermitRootLogin yes',
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    '',
  ].join('\n')
}

function openSsh(setUp: string): string {
  return `${ownFolders}
folder=$1
cp "$folder/client.pub" /root/.ssh/authorized_keys
set -- "$folder/client.pub"
${setUp}
exec /usr/sbin/sshd -D -e -f "$folder/sshd_config"
`
}

function dropbear(setUp: string): string {
  return `${busyboxRoot}
cp "$1/client.pub" root/.ssh/authorized_keys
dropbearconvert openssh dropbear "$1/host" etc/host_key >/dev/null 2>&1
${setUp}
port=$2
exec chroot /mnt /sbin/dropbear -F -E -m -r /etc/host_key -p 127.0.0.1:$port
`
}

async function answering(port: number, child: ChildProcess): Promise<void> {
  const until = performance.now() + startLimitMs
  while (performance.now() < until && child.exitCode === null) {
    const socket = connectSocket(port, '127.0.0.1')
    const isUp = await Promise.race([
      once(socket, 'data').then(
        () => true,
        () => false,
      ),
      pause(1000, false),
    ])
    socket.destroy()
    if (isUp) {
      return
    }
    await pause(50)
  }
  throw new Error(child.exitCode === null ? 'it does not answer' : 'it ended')
}
