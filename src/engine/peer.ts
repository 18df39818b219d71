import { type Cause, InfraError, InternalError } from '../config/errors.js'
import { keyOf, type LeasedPlace } from '../hypervisors/lease.js'
import type { EventBody } from '../journal/events.js'
import type { PlannedEnvironment, PlannedPairing } from '../plan/types.js'
import { anyOf } from '../remote/index.js'
import { BootAttempt } from './boot.js'
import { bringUp, type Made, markKept, placeOf } from './bring-up.js'
import { instanceFolder } from './evidence.js'
import type { InstanceRequest } from './instance.js'
import { evidenceIn, leftBehind } from './instance-evidence.js'
import { instanceName } from './instance-name.js'
import type { GuestSession } from './session.js'
import type { RunSettings } from './settings.js'
import { UndoStack } from './undo.js'

/** What is known of a peer that was asked for. */
interface Asked {
  readonly instance: string
  readonly folder: string
  readonly undo: UndoStack
  readonly made: Made
  readonly session: Promise<GuestSession>
}

/**
 * The second guest of an instance, for its client and server tests: brought up when the first of them needs it, and
 * undone with the instance. Room and leases are taken with those of the instance itself.
 */
export class PeerInstance {
  readonly #planned: PlannedPairing
  readonly #request: InstanceRequest
  /** Why its machine could not be had when that of the instance was. */
  #unheld: unknown = null
  #asked: Asked | null = null

  constructor(planned: PlannedPairing, request: InstanceRequest) {
    this.#planned = planned
    this.#request = request
  }

  get id(): string {
    return this.#planned.id
  }

  /** The machine that must be ours for it, where that is another one than `own`. */
  place(own: LeasedPlace): readonly (LeasedPlace & { readonly onFailure: (error: unknown) => void })[] {
    const place = placeOf({ ...this.#request, environment: this.#environment() })
    const key = keyOf(place)
    const onFailure = (error: unknown): void => {
      this.#unheld = error
    }
    return key === null || key === keyOf(own) ? [] : [{ ...place, onFailure }]
  }

  /** A session with it. Throws InfraError, never with the cause `guest`: it is not the guest under test. */
  async session(settings: RunSettings): Promise<GuestSession> {
    if (this.#unheld !== null) {
      throw this.trouble(this.#unheld)
    }
    this.#asked ??= this.#bringUp(settings)
    try {
      return await this.#asked.session
    } catch (error) {
      settings.stop.throwIfAborted()
      throw this.trouble(error)
    }
  }

  /** Trouble of the peer, as the test that needs it meets it: of host, runner or network. */
  trouble(error: unknown): unknown {
    if (!(error instanceof InfraError)) {
      return error
    }
    const { context, message } = error
    const cause: Cause = context.cause === 'host' || context.cause === 'runner' ? context.cause : 'network'
    return new InfraError(`the peer ${this.id}: ${message}`, { ...context, cause }, { cause: error })
  }

  /** Undoes it, if it was asked for; one that is kept stays for somebody to look at. */
  async end(kept: boolean): Promise<void> {
    if (this.#asked === null) {
      return
    }
    const { instance, folder, undo, made } = this.#asked
    const { environment, settings } = this.#request
    if (kept) {
      await markKept(made, instance, settings)
    }
    const undone = kept ? { names: [], left: null } : await undo.undoAll(settings.plan.limits.undo)
    settings.emit({
      type: 'instance-ended',
      environment: environment.id,
      instance,
      undone: undone.names,
      orphan: kept ? (made.prepared?.keepHint ?? null) : undone.left,
      kept,
      evidence: await leftBehind(settings, folder, new Map()),
    })
  }

  #bringUp(settings: RunSettings): Asked {
    const { environment, host, progress } = this.#request
    progress.instances += 1
    const number = progress.instances
    const instance = instanceName({ ...this.#request, number })
    const folder = instanceFolder(settings.folder, environment.id, instance)
    settings.emit({
      type: 'instance-started',
      environment: environment.id,
      instance,
      host,
      attempt: number,
      peer: this.id,
    })
    const emit = (event: EventBody): void => this.#emit(event, settings)
    const { signal: stop, clear } = anyOf(settings.stop, settings.drain)
    const request = {
      ...this.#request,
      environment: this.#environment(),
      settings: { ...settings, emit, stop },
    }
    const boot = new BootAttempt({ environment: environment.id, attempt: number, instance }, request.settings)
    const undo = new UndoStack()
    const made: Made = { prepared: null, running: null }
    boot.start()
    const session = bringUp({
      ...request,
      place: placeOf(request),
      instance,
      folder,
      undo,
      evidence: evidenceIn(folder, settings),
      made,
      boot,
      lend: () => null,
    }).finally(() => {
      boot.halt()
      clear()
    })
    return { instance, folder, undo, made, session }
  }

  /** All that is told of it belongs to the environment that it serves; its bring-up is not a result. */
  #emit(event: EventBody, { emit }: RunSettings): void {
    const environment = this.#request.environment.id
    const { type } = event
    if (type === 'instance-ready' || type === 'instance-moved' || type === 'instance-restarted') {
      emit({ ...event, environment })
    } else if (event.type === 'waiting') {
      emit({ ...event, environment, what: `its peer ${this.id}: ${event.what}` })
    }
  }

  /** As an environment of its own, in which the tests of the first guest run. */
  #environment(): PlannedEnvironment {
    const { environment, host } = this.#request
    return { ...this.#planned, hosts: [host], tests: environment.tests, leftOut: [] }
  }
}

/** The peer of the environment that a session is for. Throws InternalError where none was planned. */
export function peerOf({ peer, source }: GuestSession): PeerInstance {
  if (peer === null) {
    throw new InternalError(`${source.environment.id} was planned without a peer`)
  }
  return peer
}
