import type { Client } from 'ssh2'
import { InfraError } from '../../config/errors.js'
import type { Limits } from '../../config/limits.js'
import type { Stillness } from '../stillness.js'
import type { Scrub } from '../trouble.js'
import type { WrapSettings } from './wrap.js'

/** The connection that commands run on. */
export interface PosixHost {
  readonly client: Client
  readonly where: string
  readonly limits: Limits
  readonly lost: AbortSignal
  readonly scrub: Scrub
  readonly sudo: WrapSettings['sudo']
  /** Whether no channel may be opened beside another: the server would end the connection. */
  readonly isSingle: boolean
  /** While the machine is held still no limit of a command comes nearer. */
  readonly stillness: Stillness
  /** Declares the connection lost and closes it. */
  lose(reason: InfraError): void
  /** Logs in once more, for what finds no channel on this connection. */
  another(): Promise<{ readonly client: Client; close(): Promise<void> }>
  /** Runs work in one of the few places for stopping commands. */
  inStopPlace<T>(work: () => Promise<T>): Promise<T>
}

/** The error for a command on a connection that is no more. */
export function lostError({ lost, where }: Pick<PosixHost, 'lost' | 'where'>): InfraError {
  const reason: unknown = lost.reason
  return reason instanceof InfraError
    ? reason
    : new InfraError(`${where}: the connection is lost`, { cause: 'network', where, code: 'lost' })
}
