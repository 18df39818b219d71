import { InfraError } from '../config/errors.js'
import type { Machine } from '../remote/machine.js'

/** How far a guest's wall clock is from the runner's, and how sure that is. */
export interface ClockReading {
  /** Guest minus runner, in ms. */
  readonly offsetMs: number
  /** Half of the round trip, and the clock's own resolution, in ms. */
  readonly uncertaintyMs: number
  /** When it was taken, on the runner's monotonic clock, in ms. */
  readonly takenAtMs: number
}

const readings = 5
const wholeSecondMs = 1000
/** `%N` is not known everywhere: BusyBox and old systems print it as it stands. */
const clockCommand = 'date +%s.%N'

/** Reads the guest's clock several times and takes the reading with the shortest round trip. */
export async function readClock(machine: Machine, signal: AbortSignal): Promise<ClockReading> {
  let best: ClockReading | null = null
  for (let count = 0; count < readings; count += 1) {
    const reading = await readOnce(machine, signal)
    best = best === null || reading.uncertaintyMs < best.uncertaintyMs ? reading : best
  }
  if (best === null) {
    throw new RangeError('no clock reading was asked for')
  }
  return best
}

async function readOnce(machine: Machine, signal: AbortSignal): Promise<ClockReading> {
  const [wallBefore, before] = [Date.now(), performance.now()]
  const { exit, stdout } = await machine.run(clockCommand, { signal })
  const after = performance.now()
  const match = /^(\d{9,11})\.(\d{9}|%?N)\s*$/.exec(stdout.text)
  if (exit.kind !== 'code' || exit.code !== 0 || match === null) {
    throw new InfraError(`${machine.label}: "${clockCommand}" printed no time: ${stdout.text.slice(0, 80)}`, {
      cause: exit.kind === 'lost' ? 'network' : 'guest',
      where: machine.label,
      code: 'command',
    })
  }
  const [, seconds = '', fraction = ''] = match
  const isExact = /^\d+$/.test(fraction)
  // Without a fraction the true time lies anywhere in that second.
  const guestMs = Number(seconds) * 1000 + (isExact ? Number(fraction) / 1e6 : wholeSecondMs / 2)
  const roundTripMs = after - before
  return {
    offsetMs: guestMs - (wallBefore + roundTripMs / 2),
    uncertaintyMs: roundTripMs / 2 + (isExact ? 0 : wholeSecondMs / 2) + 1,
    takenAtMs: (before + after) / 2,
  }
}
