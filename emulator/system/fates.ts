import type { LiveContext } from './context.js'
import { type PanicCause, panicWords, powerWords, sysrqPanics, sysrqWords } from './last-words.js'
import { nmiLines } from './nmi.js'
import type { PowerAction } from './system.js'

/** Ways in which a kernel comes to its end, or nearly so. */
export interface Fates {
  goesDown(action: PowerAction): void
  panic(cause: PanicCause): void
  nmi(): void
  /** A key of SysRq, as it is written to /proc/sysrq-trigger. */
  sysrq(key: string): void
}

/** What the machine does when the kernel has come to its end. */
export interface Ends {
  panicked(rebootSec: number): void
  reset(): void
}

export function fatesOf({ system, persona }: LiveContext, ends: Ends): Fates {
  const { release, version } = persona.kernel
  const { tree, log, clock } = system
  const say = ({ text, level }: { readonly text: string; readonly level: number }): void =>
    log.add(text, Number(clock.uptimeNs()) / 1e9, level)
  /** A number under /proc/sys/kernel; 0 where this kernel has no such. */
  const setting = (name: string): number => {
    const path = `/proc/sys/kernel/${name}`
    return tree.lookup(path) ? Number(tree.read(path)) || 0 : 0
  }
  const panic = (cause: PanicCause): void => {
    for (const words of panicWords(release, version, cause)) say(words)
    const rebootSec = setting('panic')
    if (rebootSec > 0) say({ text: `Rebooting in ${rebootSec} seconds..`, level: 0 })
    ends.panicked(rebootSec)
  }
  return {
    goesDown: action => powerWords(release, system.flavourOfInit, action).forEach(say),
    panic,
    nmi: () => {
      const [unknown = '', ...rest] = nmiLines(release)
      say({ text: unknown, level: 0 })
      if (setting('unknown_nmi_panic') !== 0) panic({ kind: 'nmi' })
      else for (const text of rest) say({ text, level: 0 })
    },
    sysrq: key => {
      if (key === 'c') {
        say(sysrqWords(release, 'Trigger a crash'))
        if (sysrqPanics(release)) panic({ kind: 'sysrq' })
      } else if (key === 'b') {
        say(sysrqWords(release, 'Resetting'))
        ends.reset()
      }
    },
  }
}
