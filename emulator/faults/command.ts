import type { OutputFilter } from '../server/channel-files.js'
import type { Execution } from '../server/ssh-server.js'
import { type CommandFaults, hostileBytes } from './active-faults.js'

/** The process of a command, in any family of guests. */
interface Ending {
  readonly signal: AbortSignal
  whileAlive<T>(work: Promise<T>): Promise<T>
  sleep(ms: number): Promise<void>
}

/** A command that may misbehave. */
export interface Misbehaving {
  readonly process: Ending
  readonly faults: CommandFaults
  /** How its lines end. */
  readonly lineEnd: string
  /** Writes to its output as it does itself. */
  write(stream: 'stdout' | 'stderr', data: Buffer): Promise<unknown>
}

/** Between two pieces of a flood of 32 KiB: without it, a flood takes all of the machine that it is played on. */
const floodPauseMs = 10
const floodLines = 32
/** How much of the output is looked at for what a fault waits for. */
const seenCharacters = 65_536

/** Never resolves; rejects when the process ends. */
function never(process: Ending): Promise<never> {
  return process.whileAlive(new Promise<never>(() => {}))
}

/** Does the work of a command, with the faults that happen around it. */
export async function misbehave(command: Misbehaving, work: () => Promise<number>): Promise<number> {
  const { process, faults } = command
  if (faults.idle) return 0
  if (faults.hang === 'start') await never(process)
  if (faults.flood) await flood(command, faults.flood)
  if (faults.garbage) await command.write(faults.garbage, hostileBytes)
  const code = await work()
  if (faults.garbage) await command.write(faults.garbage, hostileBytes)
  if (faults.hang === 'end' || faults.reboots) await never(process)
  return code
}

async function flood({ process, write, lineEnd }: Misbehaving, stream: 'stdout' | 'stderr'): Promise<never> {
  const line = `${'all work and no play makes a guest a dull machine '.repeat(20)}${lineEnd}`
  const lines = Buffer.from(line.repeat(floodLines))
  for (;;) {
    await process.sleep(floodPauseMs)
    await write(stream, lines)
  }
}

/** What the faults do to standard output on its way out. `decode` reads the bytes as the guest's text. */
export function outputFaults(
  execution: Execution,
  { process, faults: { drop, truncatedBytes, hang } }: Pick<Misbehaving, 'process' | 'faults'>,
  decode: (data: Buffer) => string,
): OutputFilter {
  let sent = 0
  let tail = ''
  let held = Buffer.alloc(0)
  let stopped = false
  const seen = (data: Buffer): string => {
    tail = (tail + decode(data)).slice(-seenCharacters)
    return tail
  }
  /** Sends the last bytes, then cuts the connection. */
  const cutAfter = (last: Buffer): Promise<never> => {
    if (last.length > 0) execution.channel.write(last)
    execution.cut()
    return never(process)
  }
  return async data => {
    if (stopped) await never(process)
    let out = data
    if (truncatedBytes > 0) {
      const all = Buffer.concat([held, out])
      const keep = Math.max(0, all.length - truncatedBytes)
      held = all.subarray(keep)
      out = all.subarray(0, keep)
    }
    if (hang instanceof RegExp && hang.test(seen(out))) stopped = true
    if (drop?.afterBytes !== undefined && sent + out.length >= drop.afterBytes) {
      return cutAfter(out.subarray(0, drop.afterBytes - sent))
    }
    sent += out.length
    if (drop?.afterOutput?.test(seen(out))) return cutAfter(out)
    return out
  }
}
