import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { InfraError } from './errors.js'

/** A process that cannot be mistaken for a later one with the same id. */
export const processIdentity = z.object({
  pid: z.int().positive(),
  startTime: z.string(),
  bootId: z.string(),
})

export type ProcessIdentity = z.infer<typeof processIdentity>

/** Who a running process is: its start time in clock ticks since the boot (proc(5)) tells it from later ones. */
export function identityOf(pid: number): ProcessIdentity {
  const startTime = startTimeOf(pid)
  if (startTime === null) {
    throw new InfraError(`process ${pid} has ended`, { cause: 'host', where: 'localhost', code: 'driver' })
  }
  return { pid, startTime, bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() }
}

/** True while that very process runs. */
export function isAlive({ pid, startTime, bootId }: ProcessIdentity): boolean {
  const now = startTimeOf(pid)
  return now === startTime && bootId === identityOf(pid).bootId
}

/**
 * Field 22 of `/proc/PID/stat`; a zombie has ended, unless other threads of it go on: they hold its files and their locks.
 * The command's name may hold blanks and brackets.
 */
function startTimeOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const isDead = fields[0] === 'X' || (fields[0] === 'Z' && readdirSync(`/proc/${pid}/task`).length <= 1)
    return isDead ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}
