import type { Machine } from '../hardware/machine.js'
import type { GuestPersona } from '../persona/schema.js'
import { isAtLeast } from '../versions.js'
import type { KernelLine, KernelLog } from './kernel-log.js'
import type { System } from './system.js'

/** The serial port of a guest, as far as its kernel and its init use it. */
export interface Serial {
  /** What a program writes to the port itself. */
  write(text: string): void
  /** A line of the kernel's log. */
  kernel(line: KernelLine): void
  /** What init shows there once somebody may log in. */
  login(system: System): void
}

/** Messages of this level and above are not shown, unless the command line says another. */
const usualLevel = 7
/** With `quiet` on the command line (Documentation/admin-guide/kernel-parameters.txt). */
const quietLevel = 4

/**
 * The port of a guest. Its kernel writes there when its command line says so (`console=ttyS0`); under Xen it does
 * unexpectedly, since a paravirtual guest has no other console.
 */
export function serialOf(
  { kernel }: GuestPersona,
  { host }: Pick<Machine, 'host'>,
  log: KernelLog,
  write: (text: string) => void,
): Serial {
  const { cmdline, release } = kernel
  const named = /\bconsole=((?:ttyS|hvc|xvc)\d+)/.exec(cmdline)?.[1]
  const isPv = host?.hypervisor.mode === 'pv'
  const tty = named ?? (isPv ? (isAtLeast(release, '2.6.23') ? 'hvc0' : 'xvc0') : undefined)
  const said = /\bloglevel=(\d)/.exec(cmdline)?.[1]
  const level = said === undefined ? (/\bquiet\b/.test(cmdline) ? quietLevel : usualLevel) : Number(said)
  const put = (text: string): void => write(text.replace(/\r?\n/g, '\r\n'))
  return {
    write: put,
    kernel: line => {
      if (tty !== undefined && line.level < level) put(`${log.format(line)}\n`)
    },
    login: system => {
      if (tty !== undefined) put(`${issue(system, tty)}${system.uname.nodename} login: `)
    },
  }
}

/** /etc/issue as agetty(8) shows it. */
function issue({ tree, uname }: System, tty: string): string {
  const node = tree.lookup('/etc/issue')
  if (node?.type !== 'file') return '\n'
  const values: Readonly<Record<string, string>> = {
    l: tty,
    m: uname.machine,
    n: uname.nodename,
    r: uname.release,
    s: uname.sysname,
    v: uname.version,
  }
  return `\n${tree.read('/etc/issue').replace(/\\([lmnrsv])/g, (all, letter: string) => values[letter] ?? all)}`
}
