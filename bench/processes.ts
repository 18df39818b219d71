import { readFileSync } from 'node:fs'

/** `USER_HZ`, the same on every Linux that Node runs on. */
const ticksPerSec = 100

/** What a process and those of its children that have ended have used: `utime`, `stime`, `cutime`, `cstime` of proc(5). */
export function cpuSecOf(pid: number | 'self'): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSec
}

/** How long this process's first thread was ready to run and had to wait for a processor, in s: proc(5), `schedstat`. */
export function waitedSec(): number {
  const [, waitedNs = '0'] = readFileSync('/proc/self/schedstat', 'utf8').split(' ')
  return Number(waitedNs) / 1e9
}
