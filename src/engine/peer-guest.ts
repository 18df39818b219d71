import type { Guest } from '../api/guest.js'
import type { Peer } from '../api/peer.js'
import { InfraError } from '../config/errors.js'
import type { PlannedTest } from '../plan/types.js'
import { environmentFor } from './api-environment.js'
import { guestFor, type Served } from './api-guest.js'
import type { EvidenceFile } from './evidence.js'
import { confirmGuest } from './modules/confirm.js'
import { type PeerInstance, peerOf } from './peer.js'
import type { GuestSession } from './session.js'
import type { RunSettings } from './settings.js'
import type { UndoStack } from './undo.js'

/** A peer that is up, for one attempt of one test. */
export interface PeerInUse {
  readonly instance: PeerInstance
  readonly session: GuestSession
  /** Where the other guests of its host reach it. */
  readonly address: string
}

/** Brings the peer of a session up, if it is not, and finds out where it is. Throws InfraError. */
export async function usePeer(own: GuestSession, settings: RunSettings): Promise<PeerInUse> {
  const instance = peerOf(own)
  const session = await instance.session(settings)
  try {
    const { endpoint } = await session.source.running.access(settings.stop)
    return { instance, session, address: endpoint.host }
  } catch (error) {
    throw instance.trouble(error)
  }
}

/** Whether the peer answers after the test as it did before: trouble that is not of the guest, or `null`. */
export async function confirmPeer(
  { instance, session }: PeerInUse,
  stop: AbortSignal,
): Promise<InfraError | null> {
  const lost = await confirmGuest(session, stop)
  const trouble = lost === null ? null : instance.trouble(lost)
  return trouble instanceof InfraError ? trouble : null
}

/** The peer as the runner serves it to a module: a guest whose trouble is not that of the guest under test. */
export function peerFor(
  { instance, session, address }: PeerInUse,
  test: PlannedTest,
  log: EvidenceFile,
  signal: AbortSignal,
  undo: UndoStack,
): Served<Guest> & Pick<Peer, 'address' | 'environment'> {
  const guest = guestFor(session, test, log, signal, undo)
  const calls = Object.entries(guest).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'function'
      ? async (...args: unknown[]): Promise<unknown> => {
          try {
            return await value(...args)
          } catch (error) {
            throw instance.trouble(error)
          }
        }
      : value,
  ])
  const environment = environmentFor(session.source.environment)
  return { ...(Object.fromEntries(calls) as Served<Guest>), address, environment }
}
