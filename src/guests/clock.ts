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

/** How often a clock is read. */
export interface ClockReadings {
  /** So often always. */
  readonly least: number
  /** While the best reading is less certain than this, in ms, it is read again. */
  readonly goodMs: number
  /** So often at most, and no more after so many ms. */
  readonly most: number
  readonly longestMs: number
}

/** A busy machine answers quickly now and then: among twenty readings in a minute. */
const usualReadings: ClockReadings = { least: 5, goodMs: 500, most: 20, longestMs: 60_000 }

const wholeSecondMs = 1000
/** `%N` is not known everywhere: BusyBox and old systems print it as it stands. */
const clockCommand = 'date +%s.%N'

/**
 * Reads the guest's clock several times and takes the reading with the shortest round trip; more often where none was
 * short. Throws InfraError.
 */
export async function readClock(
  machine: Machine,
  signal: AbortSignal,
  { least, goodMs, most, longestMs }: ClockReadings = usualReadings,
): Promise<ClockReading> {
  const startedAt = performance.now()
  let best = await readOnce(machine, signal)
  for (let count = 1; count < most; count += 1) {
    // Where the guest shows whole seconds alone, no reading is better than another by much.
    const isGood = best.uncertaintyMs <= goodMs || best.isCoarse
    if (count >= least && (isGood || performance.now() - startedAt > longestMs)) break
    const reading = await readOnce(machine, signal)
    best = reading.uncertaintyMs < best.uncertaintyMs ? reading : best
  }
  const { isCoarse: _, ...reading } = best
  return reading
}

async function readOnce(
  machine: Machine,
  signal: AbortSignal,
): Promise<ClockReading & { readonly isCoarse: boolean }> {
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
    isCoarse: !isExact,
  }
}
