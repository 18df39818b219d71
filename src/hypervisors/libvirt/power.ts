import type { Account, Observation, Power } from '../managed-vm/observation.js'
import type { StateAnswer } from './output.js'

/** What else is known of a domain that has ended or stands still. */
export interface PowerContext {
  /** True on Xen, where only the guest can make a domain crash. */
  readonly xen: boolean
  /** True when the domain has a panic device. */
  readonly tellsPanics: boolean
}

/** Pauses that end by themselves: others may save, dump or snapshot the guest meanwhile. */
const passing = new Set([
  'migrating',
  'saving',
  'dumping',
  'creating snapshot',
  'starting up',
  'shutting down',
  'post-copy',
])

/**
 * What a domain's state and its reason say of it; `null` is a domain that is not there. The reasons are those of
 * virshDomainStateReasonToString (tools/virsh-domain-monitor.c of libvirt).
 */
export function powerOf(
  answer: StateAnswer | null,
  context: PowerContext,
): Pick<Observation, 'power' | 'said' | 'account'> {
  if (answer === null) {
    const account: Account = { cause: 'host', why: 'the domain is no longer there' }
    return { power: 'absent', said: 'not there', account }
  }
  const { state, reason } = answer
  const said = reason === null ? state : `${state} (${reason})`
  switch (state) {
    case 'shut off':
      return { power: 'off', said, account: ofEnd(reason, said, context) }
    case 'crashed':
      return { power: 'crashed', said, account: { cause: 'guest', why: `the guest crashed: ${said}` } }
    case 'paused':
      return reason !== null && passing.has(reason)
        ? { power: 'busy', said }
        : { power: 'paused', said, account: ofPause(reason, said) }
    default:
      return { power: 'on', said }
  }
}

/** What a state alone says, as a list of domains has it. */
export function powerOfState(state: StateAnswer['state']): Power {
  return powerOf({ state, reason: null }, { xen: false, tellsPanics: false }).power
}

function ofPause(reason: string | null, said: string): Account {
  switch (reason) {
    case 'crashed':
    case 'watchdog':
      return { cause: 'guest', why: `the guest was paused: ${said}` }
    case null:
    case 'unknown':
      return { cause: 'unknown', why: `the guest was paused unexpectedly: ${said}` }
    default:
      return { cause: 'host', why: `the host paused the guest: ${said}` }
  }
}

function ofEnd(reason: string | null, said: string, { xen, tellsPanics }: PowerContext): Account {
  switch (reason) {
    case 'shutdown':
      return { cause: 'guest', why: `the guest shut itself down: ${said}` }
    case 'crashed':
      if (xen) {
        return { cause: 'guest', why: `the guest crashed: ${said}` }
      }
      // With a panic device libvirt says the same of a panic and of an emulator that died.
      return tellsPanics
        ? { cause: 'unknown', why: `the guest panicked, or its emulator died: ${said}` }
        : { cause: 'host', why: `the guest's emulator died: ${said}` }
    case null:
    case 'unknown':
      return { cause: 'unknown', why: `the guest is off, and the host does not say why: ${said}` }
    default:
      return { cause: 'host', why: `the host ended the guest: ${said}` }
  }
}
