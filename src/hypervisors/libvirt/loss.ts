import { InfraError } from '../../config/errors.js'
import { type DomainState, isActive } from '../shared/power-state.js'
import type { StateAnswer } from './output.js'

/** Why a guest is gone, and whose fault it is. */
export interface Loss {
  readonly cause: 'guest' | 'host' | 'unknown'
  readonly why: string
}

/** What else is known of a domain whose state changed unasked. */
export interface LossContext {
  /** True on Xen, where only the guest can make a domain crash. */
  readonly xen: boolean
  /** True when the domain has a panic device. */
  readonly tellsPanics: boolean
  /** True when we paused it ourselves. */
  readonly paused: boolean
}

/** Whether a state may mean a loss, so that its reason is worth asking for. */
export function isSuspicious(state: DomainState | null, { paused }: Pick<LossContext, 'paused'>): boolean {
  return state === null || !isActive(state) || (state === 'paused' && !paused)
}

/**
 * Judges a state that nobody asked for; `null` when the guest goes on. The reasons are those of
 * virshDomainStateReasonToString (tools/virsh-domain-monitor.c of libvirt).
 */
export function lossOf(answer: StateAnswer | null, context: LossContext): Loss | null {
  if (answer === null) {
    return { cause: 'host', why: 'the domain is no longer there' }
  }
  const { state, reason } = answer
  if (!isSuspicious(state, context)) {
    return null
  }
  const said = reason === null ? state : `${state} (${reason})`
  switch (state) {
    case 'crashed':
      return { cause: 'guest', why: `the guest crashed: ${said}` }
    case 'paused':
      return ofPause(reason, said)
    default:
      return ofEnd(reason, said, context)
  }
}

/** The reason that `gone` carries. */
export function lossError(where: string, { cause, why }: Loss): InfraError {
  return new InfraError(`${where}: ${why}`, { cause, where, code: 'lost' })
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

function ofPause(reason: string | null, said: string): Loss | null {
  if (reason !== null && passing.has(reason)) {
    return null
  }
  switch (reason) {
    case 'crashed':
    case 'watchdog':
      return { cause: 'guest', why: `the guest was paused: ${said}` }
    case null:
    case 'unknown':
      return { cause: 'unknown', why: `the guest was paused unasked: ${said}` }
    default:
      return { cause: 'host', why: `the host paused the guest: ${said}` }
  }
}

function ofEnd(reason: string | null, said: string, { xen, tellsPanics }: LossContext): Loss {
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
