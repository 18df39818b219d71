import type { Ability, RunningGuest } from '../driver.js'

type Calls = readonly (keyof RunningGuest)[]

/** The calls of each ability, in the order in which they are tried. `console` has none: a guest has one or not. */
export const callsOfAbilities: Readonly<Record<Exclude<Ability, 'console'>, Calls>> = {
  pause: ['pause', 'resume'],
  stop: ['shutdown', 'powerOff', 'powerOn'],
  reset: ['reset'],
  snapshot: ['snapshot', 'deleteSnapshot'],
  'attach-disk': ['attachDisk', 'detachDisk'],
  'attach-nic': ['attachNic', 'detachNic'],
  revert: ['revert'],
  'set-vcpus': ['setVcpus'],
  'set-memory': ['setMemory'],
  migrate: ['migrate'],
  screenshot: ['screenshot'],
  nmi: ['nmi'],
}
