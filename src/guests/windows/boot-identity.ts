import type { Machine } from '../../remote/index.js'
import { WindowsMachine } from '../../remote/index.js'
import type { BootIdentity } from '../boot-identity.js'
import { readEvents } from './events.js'
import { unanswered } from './failure.js'
import { queryWmi } from './wmi.js'

/** The event log service says 6005 when it starts: once a boot, under a number of its own. */
const logStarted = 6005

/** How the identity is asked for. */
export interface IdentityOptions {
  readonly limitMs?: number
  readonly signal?: AbortSignal
}

/**
 * What tells one boot of a Windows guest from another: the record number of its event 6005, which no clock can move, and
 * LastBootUpTime. Throws InfraError when it does not tell.
 */
export async function readWindowsBootIdentity(
  machine: Machine,
  { limitMs, signal }: IdentityOptions = {},
): Promise<BootIdentity> {
  const windows = asWindows(machine)
  const asked = signal === undefined ? {} : { signal }
  const [[system], [event]] = await Promise.all([
    queryWmi(windows, 'Win32_OperatingSystem', {
      get: ['LastBootUpTime', 'LocalDateTime'],
      ...asked,
      ...(limitMs === undefined ? {} : { limitMs }),
    }),
    readEvents(windows, 'System', { ids: [logStarted], providers: ['EventLog'], count: 1, ...asked }),
  ])
  const { LastBootUpTime: bootedAt, LocalDateTime: now } = system ?? {}
  if (!(bootedAt instanceof Date) || !(now instanceof Date)) {
    throw unanswered(windows, 'the boot identity could not be read: no LastBootUpTime')
  }
  return {
    bootId: event === undefined ? null : `event-${logStarted}-record-${event.recordNumber}`,
    btimeSec: bootedAt.getTime() / 1000,
    uptimeSec: Math.max(0, (now.getTime() - bootedAt.getTime()) / 1000),
    takenAtMs: performance.now(),
  }
}

/** The Windows machine that a machine is; throws TypeError for another. */
export function asWindows(machine: Machine): WindowsMachine {
  if (machine instanceof WindowsMachine) {
    return machine
  }
  throw new TypeError(`${machine.label} is not a Windows guest`)
}
