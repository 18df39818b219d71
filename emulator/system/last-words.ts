import { isAtLeast } from '../versions.js'
import type { KernelLine } from './kernel-log.js'
import type { PowerAction } from './system.js'

type Words = Pick<KernelLine, 'text' | 'level'>

const emergency = 0
const notice = 5
const information = 6

const tasks: Readonly<Record<PowerAction, readonly [init: string, kernel: string]>> = {
  off: ['Powering off.', 'Power down'],
  reboot: ['Rebooting.', 'Restarting system'],
  halt: ['Halting system.', 'System halted'],
}

/** What is said last when a guest goes down in order: by systemd-shutdown, and by kernel/reboot.c. */
export function powerWords(release: string, init: 'sysv' | 'systemd', action: PowerAction): Words[] {
  const [task, done] = tasks[action]
  return [
    ...(init === 'systemd' ? [{ text: `systemd-shutdown[1]: ${task}`, level: information }] : []),
    { text: isAtLeast(release, '3.11') ? `reboot: ${done}` : `${done}.`, level: emergency },
  ]
}

/** How a kernel came to panic. */
export type PanicCause =
  | { readonly kind: 'fault'; readonly reason: string }
  | { readonly kind: 'nmi' }
  | { readonly kind: 'sysrq' }

/** Before 5.0 that key made the kernel use a null pointer; before 2.6.30 it needed a crash kernel to do anything. */
export function sysrqPanics(release: string): boolean {
  return isAtLeast(release, '2.6.30')
}

/** What a key of SysRq is answered with first (drivers/tty/sysrq.c). */
export function sysrqWords(release: string, task: string): Words {
  const prefix = isAtLeast(release, '5.0')
    ? 'sysrq: '
    : isAtLeast(release, '4.2')
      ? 'sysrq: SysRq : '
      : 'SysRq : '
  return { text: `${prefix}${task}`, level: information }
}

/** What a kernel says when it gives up (kernel/panic.c). */
export function panicWords(release: string, version: string, cause: PanicCause): Words[] {
  const isOops = cause.kind === 'sysrq' && !isAtLeast(release, '5.0')
  const reason =
    cause.kind === 'fault'
      ? cause.reason
      : cause.kind === 'nmi'
        ? 'NMI: Not continuing'
        : isOops
          ? 'Fatal exception'
          : 'sysrq triggered crash'
  const panic = `Kernel panic - not syncing: ${reason}`
  const [number = ''] = version.split(' ')
  return [
    ...(isOops
      ? [
          { text: 'BUG: unable to handle kernel NULL pointer dereference at (null)', level: 1 },
          { text: 'Oops: 0002 [#1] SMP', level: emergency },
        ]
      : []),
    { text: panic, level: emergency },
    ...(isAtLeast(release, '3.4')
      ? [{ text: `CPU: 0 PID: 1 Comm: init Not tainted ${release} ${number}`, level: notice - 1 }]
      : []),
    ...(isAtLeast(release, '3.16')
      ? [{ text: `---[ end ${panic}${isAtLeast(release, '4.17') ? ' ]---' : ''}`, level: emergency }]
      : []),
  ]
}
