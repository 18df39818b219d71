import type { ClockReading } from '../guests/clock.js'
import type { Check } from '../hypervisors/driver.js'

/** Compares a machine's clock with ours. A difference that the reading cannot tell from the bound is not ok. */
export function clockCheck(toleranceMs: number, read: (signal: AbortSignal) => Promise<ClockReading>): Check {
  return {
    name: 'clock',
    asked: `within ${inSeconds(toleranceMs)} of ours`,
    after: ['login'],
    carryOut: async signal => {
      const { offsetMs, uncertaintyMs } = await read(signal)
      const direction = offsetMs < 0 ? 'behind' : 'ahead'
      const seen = `${inSeconds(Math.abs(offsetMs))} ${direction}, give or take ${inSeconds(uncertaintyMs)}`
      if (Math.abs(offsetMs) + uncertaintyMs <= toleranceMs) {
        return { state: 'ok', seen }
      }
      return Math.abs(offsetMs) - uncertaintyMs > toleranceMs
        ? { state: 'missing', seen }
        : { state: 'not-checked', seen: `${seen}: too uncertain to tell` }
    },
  }
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 3 : 0)} s`
}
