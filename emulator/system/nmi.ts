import { isAtLeast } from '../versions.js'

/** Port 0x61 as QEMU leaves it: neither a memory parity error nor a check of the bus. */
const reason = '30'

/**
 * What a kernel says of an interrupt that nothing owns up to: unknown_nmi_error of arch/x86/kernel/nmi.c, and
 * unknown_nmi_panic of Documentation/admin-guide/sysctl/kernel.rst. All of it is for everybody (KERN_EMERG).
 */
export function nmiLines(release: string): string[] {
  const cpu = isAtLeast(release, '2.6.28') ? ' on CPU 0' : ''
  return [
    `Uhhuh. NMI received for unknown reason ${reason}${cpu}.`,
    // Kernels of today no longer ask this; that 6.0 was the first is assumed.
    ...(isAtLeast(release, '6.0') ? [] : ['Do you have a strange power saving mode enabled?']),
    'Dazed and confused, but trying to continue',
  ]
}
