import type { WindowsMachine } from '../../remote/index.js'
import type { ClockReading } from '../clock.js'
import { byEither } from './either.js'
import { unanswered } from './failure.js'
import { queryWmi } from './wmi.js'

const readings = 5
/** .NET counts 100 ns from the year 1; Date counts ms from 1970. */
const ticksPerMs = 10_000n
const ticksAt1970 = 621_355_968_000_000_000n
const wholeSecondMs = 1_000

/**
 * Reads the guest's clock several times and keeps the reading with the shortest round trip: from the PowerShell that
 * runs already, or as LocalDateTime, which has its offset from UTC. Throws InfraError when it tells no time.
 */
export async function readWindowsClock(machine: WindowsMachine, signal: AbortSignal): Promise<ClockReading> {
  const ask = await quickestQuestion(machine, signal)
  // The first reading starts PowerShell.
  let best = await readOnce(ask)
  for (let count = 1; count < readings; count += 1) {
    const reading = await readOnce(ask)
    best = reading.uncertaintyMs < best.uncertaintyMs ? reading : best
  }
  return best
}

/** A time of the guest's, and how far it may be behind the true one. */
interface Told {
  readonly ms: number
  readonly resolutionMs: number
}

/**
 * A login shell PowerShell answers each question with a start of PowerShell, which takes seconds: there the time of a file
 * tells, to the second.
 */
async function quickestQuestion(machine: WindowsMachine, signal: AbortSignal): Promise<() => Promise<Told>> {
  if (machine.login === 'powershell' && (await machine.fileWay()) === 'sftp') {
    // What the file system cannot tell, PowerShell can.
    const first = await machine.clockByFile(signal).catch(() => null)
    signal.throwIfAborted()
    if (first !== null) {
      return async () => ({
        ms: (await machine.clockByFile(signal)) ?? Number.NaN,
        resolutionMs: wholeSecondMs,
      })
    }
  }
  return async () => ({
    ms: await byEither(
      machine,
      () => readTicks(machine, signal),
      () => readLocal(machine, signal),
    ),
    resolutionMs: 2,
  })
}

async function readOnce(ask: () => Promise<Told>): Promise<ClockReading> {
  const [wallBefore, before] = [Date.now(), performance.now()]
  const { ms, resolutionMs } = await ask()
  const after = performance.now()
  const roundTripMs = after - before
  // A time that is cut to whole units is half of one behind, more or less.
  return {
    offsetMs: ms + resolutionMs / 2 - (wallBefore + roundTripMs / 2),
    uncertaintyMs: roundTripMs / 2 + resolutionMs / 2,
    takenAtMs: (before + after) / 2,
  }
}

async function readTicks(machine: WindowsMachine, signal: AbortSignal): Promise<number> {
  const { rows } = await machine.ask(['now'], { signal })
  const ticks = rows[0]?.ticks
  if (typeof ticks !== 'string' || !/^\d{18,19}$/.test(ticks)) {
    throw unanswered(machine, 'PowerShell printed no time')
  }
  return Number((BigInt(ticks) - ticksAt1970) / ticksPerMs)
}

async function readLocal(machine: WindowsMachine, signal: AbortSignal): Promise<number> {
  const [system] = await queryWmi(machine, 'Win32_OperatingSystem', { get: ['LocalDateTime'], signal })
  const now = system?.LocalDateTime
  if (!(now instanceof Date)) {
    throw unanswered(machine, 'Win32_OperatingSystem told no LocalDateTime')
  }
  return now.getTime()
}
