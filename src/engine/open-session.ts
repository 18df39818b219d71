import type { DriverDescriptor } from '../config/driver.js'
import { InfraError } from '../config/errors.js'
import type { Limits } from '../config/limits.js'
import type { Guest, Lab, Placement } from '../config/model.js'
import type { RunningGuest, UnexpectedEvent } from '../hypervisors/driver.js'
import type { Held } from '../hypervisors/lease.js'
import { connectToGuest, pinNameOf } from '../hypervisors/reach.js'
import { isLent, mayReboot } from '../plan/lent.js'
import type { Suite } from '../plan/suite.js'
import type { PlannedEnvironment } from '../plan/types.js'
import { anyOf, type Machine, type RetryOptions, Stillness } from '../remote/index.js'
import type { BootAttempt } from './boot.js'
import { type Health, watchHealth } from './broken.js'
import { asEmulationFault } from './emulation-faults.js'
import type { EvidenceFile } from './evidence.js'
import { expectedWindow } from './expected.js'
import { HeldStill } from './held.js'
import type { GuestSession, SessionSource } from './session.js'
import { guestSystems } from './systems.js'

/** What is needed to connect to an instance and to make it ready for tests. */
export interface OpenRequest {
  readonly environment: PlannedEnvironment
  readonly instance: string
  readonly lab: Lab
  readonly guest: Guest
  readonly placement: Placement
  readonly host: string
  readonly driver: DriverDescriptor
  readonly running: RunningGuest
  /** Over SSH when absent. */
  readonly connect?: typeof connectToGuest
  readonly limits: Limits
  readonly suites: ReadonlyMap<string, Suite>
  readonly signal: AbortSignal
  readonly evidence: (name: string) => EvidenceFile
  /** Gives the connection over which the guest's own lease was taken, if there is one. */
  readonly lend: Held['lend']
  /** Is told of what happens to the guest unexpectedly. */
  readonly tell: (what: UnexpectedEvent) => void
  /** Is told of each step. */
  readonly boot: BootAttempt
}

/**
 * Waits until the guest answers, then sweeps what earlier runs left, carries the suites' files and
 * reads facts and boot identity, all in one command.
 */
export async function openSession(request: OpenRequest): Promise<GuestSession> {
  const { environment, instance, lab, guest, running, limits, signal, boot } = request
  const connect = request.connect ?? connectToGuest
  // What runs for this guest on this host, whichever run it was: instances of it are never shared.
  const mark = `${lab.name}/${guest.id}/${request.host}`
  const system = guestSystems[guest.family]
  const expected = expectedWindow()
  const stillness = new Stillness()
  const { tell } = request
  const health = watchHealth({ instance, running, expected, lookLimitMs: limits.command, tell })
  const pinnedAs = pinNameOf(guest, request.placement, instance)
  const refusalsMs = request.driver.startsGuests ? limits.boot : limits.login
  const reach = async (until: AbortSignal, when: 'booting' | 'up', told?: BootAttempt): Promise<Machine> => {
    const ends = anyOf(until, health.broken)
    const options = { ...system.connection(`${mark}/${instance}`), stillness }
    told?.waitFor('address')
    const machine = await connect(guest, running, {
      limits,
      signal: ends.signal,
      ...(told === undefined
        ? { options: { ...options, refusalsMs: when === 'booting' ? refusalsMs : 0 } }
        : {
            options: { ...options, refusalsMs, ...progressOf(told) },
            onAddresses: addressesOf(told),
            bootLeftMs: told.leftMs(),
          }),
      pinnedAs,
    }).finally(ends.clear)
    health.endWhenBroken(machine)
    return machine
  }
  const source: SessionSource = {
    environment,
    instance,
    running,
    health,
    expected,
    held: new HeldStill(stillness),
    system,
    limits,
    managed: request.driver.startsGuests,
    mayReboot: isLent(request.placement, request.driver)
      ? guest.reboot === true
      : mayReboot(guest, request.driver),
    reach: (until, when) => reach(until, when),
    evidence: request.evidence,
  }
  const machine =
    borrow(request, `${mark}/${instance}`, health) ??
    (await reach(signal, 'booting', boot).catch((error: unknown) => {
      health.close()
      throw asGuestFault(error, source, boot)
    }))
  try {
    return await system.makeReady(source, machine, request, mark)
  } catch (error) {
    await machine.close().catch(() => {})
    await health.look()
    health.close()
    throw brokenOr(error, source, boot)
  }
}

/** The connection over which the guest has answered and let us in already, when its lease was taken. */
function borrow({ lend, boot }: OpenRequest, mark: string, health: Health): Machine | null {
  const machine = lend(mark)
  if (machine !== null) {
    for (const step of ['address', 'connect', 'log-in'] as const) {
      boot.begin(step)
    }
    health.endWhenBroken(machine)
  }
  return machine
}

/** What shows of the tries to connect to a guest that is brought up. */
function progressOf(boot: BootAttempt): Pick<RetryOptions, 'onOpen' | 'onRetry'> {
  return {
    onOpen: () => boot.begin('log-in'),
    onRetry: error => {
      boot.begin('connect')
      boot.saw(error.message)
    },
  }
}

/** Its addresses are asked for again before every try: only the first time does another wait begin. */
function addressesOf(boot: BootAttempt): (where: readonly string[]) => void {
  let isKnown = false
  return where => {
    if (isKnown) {
      boot.begin('connect')
    } else {
      boot.waitFor('connect', where.join(', '))
    }
    isKnown = true
  }
}

/** A guest that broke meanwhile has broken, whatever that looked like from outside. */
function brokenOr(error: unknown, { health, running }: SessionSource, boot: BootAttempt): unknown {
  if (!health.broken.aborted) {
    return error
  }
  const { reason } = health.broken
  const emulated = asEmulationFault(reason, running.facts)
  if (emulated !== reason) {
    return emulated
  }
  boot.blameGuest()
  return reason
}

/** How a guest looks that does not answer; one that answers and refuses is another matter. */
const silentCodes: ReadonlySet<string> = new Set(['connect', 'handshake', 'lost', 'limit'])

/** A guest that never answers although its virtual machine runs has itself to blame, if it had the time to answer. */
function asGuestFault(error: unknown, source: SessionSource, boot: BootAttempt): unknown {
  const isBoot = source.managed && error instanceof InfraError && error.context.code === 'boot'
  if (source.health.broken.aborted || !isBoot) {
    return brokenOr(error, source, boot)
  }
  if (error.cause instanceof InfraError && !silentCodes.has(error.cause.context.code)) {
    return error
  }
  const used = boot.usedByHost()
  if (used !== null) {
    return new InfraError(`${error.message}; ${used}`, { ...error.context, cause: 'host' }, { cause: error })
  }
  boot.blameGuest()
  return new InfraError(error.message, { ...error.context, cause: 'guest' }, { cause: error })
}
