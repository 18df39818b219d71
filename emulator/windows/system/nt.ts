import type { Conditional } from '../persona/schema.js'

/** Compares two versions of NT, e.g. `6.1` and `10.0`: negative, 0 or positive. */
export function compareNt(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number)
  const [majorB = 0, minorB = 0] = b.split('.').map(Number)
  return majorA - majorB || minorA - minorB
}

/** What decides which groups of facts a guest has. */
export interface Circumstances {
  readonly nt: string
  readonly hypervisor: string
  readonly disk: string
  readonly nic: string
  readonly firmware: 'bios' | 'uefi'
}

/** Whether a group of facts holds. `until` is the last version that has it. */
export function holds(group: Conditional, where: Circumstances): boolean {
  if (group.since !== undefined && compareNt(where.nt, group.since) < 0) return false
  if (group.until !== undefined && compareNt(where.nt, group.until) > 0) return false
  if (group.hypervisor && !group.hypervisor.includes(where.hypervisor)) return false
  if (group.disk && !group.disk.includes(where.disk)) return false
  if (group.nic && !group.nic.includes(where.nic)) return false
  return group.firmware === undefined || group.firmware === where.firmware
}
