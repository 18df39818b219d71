import type { ClockOffset } from '../api/guest.js'
import type { ClockReading } from '../guests/clock.js'

const readingOf = new WeakMap<ClockOffset, ClockReading>()
const partsPerMillion = 1e6

/** A clock reading as test modules see it. */
export function clockOffset(reading: ClockReading): ClockOffset {
  const offset: ClockOffset = {
    ms: reading.offsetMs,
    uncertaintyMs: reading.uncertaintyMs,
    ppmSince: before => {
      const earlier = earlierReading(before)
      return ((reading.offsetMs - earlier.offsetMs) / elapsedMs(earlier)) * partsPerMillion
    },
    ppmUncertaintySince: before => {
      const earlier = earlierReading(before)
      return ((reading.uncertaintyMs + earlier.uncertaintyMs) / elapsedMs(earlier)) * partsPerMillion
    },
  }
  readingOf.set(offset, reading)
  return offset

  function elapsedMs(earlier: ClockReading): number {
    const elapsed = reading.takenAtMs - earlier.takenAtMs
    if (elapsed <= 0) {
      throw new RangeError('ppmSince needs an earlier reading')
    }
    return elapsed
  }
}

function earlierReading(offset: ClockOffset): ClockReading {
  const reading = readingOf.get(offset)
  if (reading === undefined) {
    throw new TypeError('ppmSince needs what guest.clockOffset() returned before')
  }
  return reading
}
