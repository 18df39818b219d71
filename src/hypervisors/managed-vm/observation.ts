import type { InfraContext } from '../../config/errors.js'
import type { UnexpectedEvent } from '../driver.js'

/**
 * What a virtual machine is seen to do: it runs, stands still, is held by its host for something that passes, goes
 * down, is off, has crashed, or is not there at all.
 */
export type Power = 'on' | 'paused' | 'busy' | 'ending' | 'off' | 'crashed' | 'absent'

/** Why a virtual machine is as it is, by its host's account. */
export interface Account {
  readonly cause: Extract<InfraContext['cause'], 'guest' | 'host' | 'unknown'>
  readonly why: string
}

/** What a virtual machine has, by whatever names its driver knows its devices. */
export interface Devices {
  readonly disks: readonly string[]
  readonly nics: readonly string[]
  readonly vcpus: number | null
  readonly memoryBytes: number | null
}

/** One look at a virtual machine. */
export interface Observation {
  readonly power: Power
  /** The state in the host's own words. */
  readonly said: string
  /** Another one after each start: a domain's id, a process, a boot time. `null` where the host does not tell. */
  readonly incarnation: string | null
  /** The host that it is on. */
  readonly host: string
  /** `null` where they were not asked for. */
  readonly devices: Devices | null
  /** What the host wants a person to answer before it goes on. */
  readonly question?: string
  /** Why it does not run; absent where the host does not tell, or where it runs. */
  readonly account?: Account
}

/** What a list of all virtual machines shows of one. */
export type Glance = Pick<Observation, 'power' | 'said' | 'incarnation'> & { readonly host?: string }

/** What happened to a virtual machine though nobody asked for it. */
export type VmEvent =
  | { readonly type: 'lost'; readonly cause: Account['cause']; readonly why: string }
  | { readonly type: 'crashed'; readonly cause: Account['cause']; readonly why: string }
  | UnexpectedEvent

/** What is known of a virtual machine, and what it is meant to do. */
export interface Known {
  readonly wanted: 'on' | 'paused' | 'off'
  readonly host: string
  readonly incarnation: string | null
  /** Since when it has not been as it is meant to be, in monotonic ms. */
  readonly strangeSinceMs: number | null
}

/** Whether a virtual machine exists, running or not. */
export function isUp({ power }: Pick<Observation, 'power'>): boolean {
  return power === 'on' || power === 'paused' || power === 'busy'
}

/** Whether nothing of it runs any more. */
export function isDown({ power }: Pick<Observation, 'power'>): boolean {
  return power === 'off' || power === 'absent' || power === 'crashed'
}

/**
 * Folds an observation into what is known. An event is what nobody asked for; a state that is strange is one only when
 * it has lasted for `graceMs`: some hosts end and make a virtual machine anew when its guest reboots.
 */
export function reduce(
  known: Known,
  seen: Glance & Pick<Observation, 'question' | 'account'>,
  {
    nowMs,
    graceMs,
    restarts = 'unknown',
  }: { readonly nowMs: number; readonly graceMs: number; readonly restarts?: 'host' | 'unknown' },
): { readonly known: Known; readonly event: VmEvent | null } {
  if (seen.question !== undefined) {
    const why = `the host waits for an answer: ${seen.question}`
    return { known, event: { type: 'lost', cause: 'host', why } }
  }
  if (known.wanted === 'off' && !isUp(seen)) {
    return { known: { ...known, strangeSinceMs: null }, event: null }
  }
  if (seen.power === 'crashed') {
    return { known, event: { type: 'crashed', ...accountOf(seen) } }
  }
  const isMeant =
    seen.power === 'on' || seen.power === 'busy' || (seen.power === 'paused' && known.wanted === 'paused')
  if (!isMeant) {
    const sinceMs = known.strangeSinceMs ?? nowMs
    const isOver = graceMs === 0 || nowMs - sinceMs > graceMs
    return {
      known: { ...known, strangeSinceMs: sinceMs },
      event: isOver ? { type: 'lost', ...accountOf(seen) } : null,
    }
  }
  const host = seen.host ?? known.host
  const incarnation = seen.incarnation ?? known.incarnation
  const now: Known = { ...known, host, incarnation, strangeSinceMs: null }
  if (host !== known.host) {
    return { known: now, event: { type: 'moved', from: known.host, to: host } }
  }
  const isAnother = known.incarnation !== null && incarnation !== known.incarnation
  return {
    known: now,
    event: isAnother
      ? { type: 'restarted', cause: restarts, why: `it was ${known.incarnation}, and is ${incarnation}` }
      : null,
  }
}

function accountOf({ power, said, account }: Glance & Pick<Observation, 'account'>): Account {
  switch (power) {
    case 'crashed':
      return account ?? { cause: 'guest', why: `the guest crashed: ${said}` }
    case 'absent':
      return account ?? { cause: 'host', why: 'the virtual machine is no longer there' }
    case 'paused':
      return account ?? { cause: 'host', why: `the host paused the guest: ${said}` }
    default:
      return account ?? { cause: 'unknown', why: `the guest is off, and the host does not say why: ${said}` }
  }
}
