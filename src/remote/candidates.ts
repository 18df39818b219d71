import { InfraError } from '../config/errors.js'
import { inTime } from '../deadline/deadline.js'
import { anyOf } from '../deadline/signals.js'
import { connect } from './connect.js'
import type { Machine } from './machine.js'
import type { ConnectOptions, ConnectTarget } from './target.js'

/** What was met at one address. */
export interface Failure {
  readonly label: string
  readonly error: unknown
}

/** How long one address is alone before the next is tried beside it (RFC 8305 has 250 ms for TCP alone). */
const staggerMs = 2_000

/**
 * Connects to the first of several addresses that lets us in: each is tried a little after the one before it, or as
 * soon as those before it have failed. What was met at each when all fail.
 */
export async function connectToFirst(
  targets: readonly ConnectTarget[],
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Machine | Failure[]> {
  const won = new AbortController()
  const ends = anyOf(signal, won.signal)
  const tries: Promise<Machine>[] = []
  const failures: Failure[] = []
  try {
    for (const target of targets) {
      const connecting = connect({ ...target, signal: ends.signal }, options)
      tries.push(connecting)
      connecting.catch((error: unknown) => failures.push({ label: target.label, error }))
      const isWon = Promise.any(tries).then(
        () => true,
        () => false,
      )
      const isLast = tries.length === targets.length
      if (!isLast && (await inTime(isWon, staggerMs)) === true) {
        break
      }
    }
    const machine = await Promise.any(tries).catch(() => null)
    won.abort()
    for (const one of tries) {
      one.then(late => (late === machine ? undefined : late.close())).catch(() => {})
    }
    return machine ?? failures
  } finally {
    ends.clear()
  }
}

/** How far a connection came, by the code of its failure. */
const stages: readonly string[] = [
  'connect',
  'cancelled',
  'handshake',
  'host-key',
  'limit',
  'lost',
  'authentication',
  'command',
]

/** The failure of the connection that came furthest: it says most. */
export function furthest(failures: readonly Failure[]): unknown {
  const stage = ({ error }: Failure): number =>
    error instanceof InfraError ? stages.indexOf(error.context.code) : stages.length
  const [first, ...others] = failures
  return others.reduce<Failure | undefined>(
    (best, one) => (best === undefined || stage(one) > stage(best) ? one : best),
    first,
  )?.error
}
