import type { WindowsMachine } from '../../remote/index.js'
import type { ClockReading } from '../clock.js'
import { byEither } from './either.js'
import { unanswered } from './failure.js'
import { queryWmi } from './wmi.js'

const readings = 5
/** .NET counts 100 ns from the year 1; Date counts ms from 1970. */
const ticksPerMs = 10_000n
const ticksAt1970 = 621_355_968_000_000_000n
/** Both clocks are read to the ms. */
const resolutionMs = 1

/**
 * Reads the guest's clock several times and keeps the reading with the shortest round trip: from the PowerShell that
 * runs already, or as LocalDateTime, which has its offset from UTC. Throws InfraError when it tells no time.
 */
export async function readWindowsClock(machine: WindowsMachine, signal: AbortSignal): Promise<ClockReading> {
  // The first reading starts PowerShell.
  let best = await readOnce(machine, signal)
  for (let count = 1; count < readings; count += 1) {
    const reading = await readOnce(machine, signal)
    best = reading.uncertaintyMs < best.uncertaintyMs ? reading : best
  }
  return best
}

async function readOnce(machine: WindowsMachine, signal: AbortSignal): Promise<ClockReading> {
  const [wallBefore, before] = [Date.now(), performance.now()]
  const guestMs = await byEither(
    machine,
    () => readTicks(machine, signal),
    () => readLocal(machine, signal),
  )
  const after = performance.now()
  const roundTripMs = after - before
  return {
    offsetMs: guestMs - (wallBefore + roundTripMs / 2),
    uncertaintyMs: roundTripMs / 2 + resolutionMs,
    takenAtMs: (before + after) / 2,
  }
}

async function readTicks(machine: WindowsMachine, signal: AbortSignal): Promise<number> {
  const { rows } = await machine.ask(['now'], { signal })
  const ticks = rows[0]?.ticks
  if (typeof ticks !== 'string' || !/^\d{18,19}$/.test(ticks)) {
    throw unanswered(machine, 'PowerShell told no time')
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
