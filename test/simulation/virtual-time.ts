import { syncBuiltinESMExports } from 'node:module'
import { type Clock, install } from '@sinonjs/fake-timers'

const startsAt = Date.UTC(2026, 0, 1)

/** The clock of a simulated run: time passes only when nothing else is to be done. */
export interface VirtualTime {
  /** Monotonic, in ms. */
  now(): number
  /** Sets the wall clock to where every run begins. */
  begin(): void
  /** Lets time pass until the work has ended. @throws Error when nothing would ever end it. */
  drive<T>(work: Promise<T>): Promise<T>
  uninstall(): void
}

/** Replaces timers, `Date` and `performance` of this process. */
export function installVirtualTime(): VirtualTime {
  const clock: Clock = install({
    now: startsAt,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
  // Named imports of node:timers/promises follow.
  syncBuiltinESMExports()
  return {
    now: () => performance.now(),
    begin: () => clock.setSystemTime(startsAt),
    drive: async work => {
      let hasEnded = false
      const ended = work.finally(() => {
        hasEnded = true
      })
      ended.catch(() => {})
      for (;;) {
        await settled()
        if (hasEnded) {
          return ended
        }
        if (clock.countTimers() === 0) {
          throw new Error('nothing is waited for, and the run has not ended')
        }
        clock.next()
      }
    },
    uninstall: () => {
      clock.uninstall()
      syncBuiltinESMExports()
    },
  }
}

/** Resolves when all that follows from the last event is done; reading a folder takes a turn of the real event loop. */
async function settled(): Promise<void> {
  do {
    await new Promise(resolve => setImmediate(resolve))
  } while (process.getActiveResourcesInfo().some(name => /Req/.test(name)))
}
