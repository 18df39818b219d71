import { InfraError } from '../config/errors.js'
import type { Host, Lab } from '../config/model.js'
import { withDeadline } from '../deadline/deadline.js'
import type { LeftEnvironment } from '../engine/resumed.js'
import type { Emit } from '../engine/settings.js'
import type { Driver } from '../hypervisors/driver.js'
import { type LeasedPlace, type Leases, machineOf } from '../hypervisors/lease.js'
import { readInstanceName } from '../hypervisors/shared/names.js'
import { guestLeftovers } from '../lab/clean-guest.js'
import type { Plan, PlannedEnvironment, PlannedPairing } from '../plan/types.js'

/** What instances of earlier sessions are removed with. */
export interface ReclaimRequest {
  readonly plan: Plan
  readonly lab: Lab
  readonly run: string
  readonly left: ReadonlyMap<string, LeftEnvironment>
  readonly driverOf: (host: Host) => Driver
  readonly leases: Leases
  readonly emit: Emit
  /** True of machines that did not outlive the earlier session: the guests and hosts of an emulated lab of its own. */
  readonly isNew: (place: Pick<LeasedPlace, 'host' | 'guest'>) => boolean
  readonly signal: AbortSignal
}

/** An instance of an earlier session, as the journal or its host knows it. */
interface Stray {
  readonly environment: PlannedEnvironment
  readonly instance: string
  readonly host: string
  /** Whose instance it is: the environment's guest, or its peer. */
  readonly pairing: Pick<PlannedPairing, 'guest' | 'configuration'>
  /** False for one that the journal has no beginning of: its runner died before that was written. */
  readonly isKnown: boolean
}

/**
 * Removes the instances that earlier sessions of the run had under way when they ended, host by host, before anything
 * else is done. What cannot be removed is named as an orphan.
 */
export async function reclaim(request: ReclaimRequest): Promise<void> {
  const { plan, left } = request
  const known = plan.environments.flatMap(environment =>
    (left.get(environment.id)?.instances ?? [])
      .filter(({ ended }) => ended === null)
      .map(({ id, host, peer }): Stray => {
        const pairing = peer === null ? environment : (environment.peer ?? environment)
        return { environment, pairing, instance: id, host, isKnown: true }
      }),
  )
  const hosts = new Set([
    ...known.map(({ host }) => host),
    ...plan.environments.flatMap(serving => serving.hosts),
  ])
  await Promise.all(
    [...hosts].map(host =>
      reclaimOn(
        host,
        known.filter(stray => stray.host === host),
        request,
      ),
    ),
  )
}

async function reclaimOn(id: string, known: readonly Stray[], request: ReclaimRequest): Promise<void> {
  const { plan, lab, driverOf, emit } = request
  const host = lab.hosts.get(id)
  const driver = host === undefined ? undefined : driverOf(host)
  if (host === undefined || driver?.leftovers === undefined) {
    await Promise.all(known.map(stray => end(stray, request, () => removeFromGuest(stray, host, request))))
    return
  }
  const [first] = plan.environments.filter(({ hosts }) => hosts.includes(id))
  const guest = lab.guests.get(first?.guest.id ?? '')
  if (guest !== undefined && request.isNew({ host, guest })) {
    for (const stray of known) {
      emit(endOf(stray, [], null))
    }
    return
  }
  const found = await bounded(request, id, signal => leftOn(driver, request, signal)).catch(
    (error: unknown) => {
      request.signal.throwIfAborted()
      return error
    },
  )
  if (!(found instanceof Map)) {
    for (const stray of known) {
      emit(endOf(stray, [], `remove: ${messageOf(found)}`))
    }
    return
  }
  const others = [...found.keys()].flatMap(instance =>
    known.some(stray => stray.instance === instance) ? [] : otherStray(instance, id, request),
  )
  for (const stray of [...known, ...others]) {
    const isShared = found.get(stray.instance)
    // What is not there was removed before the journal could say so.
    const remove =
      isShared === undefined ? null : () => removeFromHost(stray, { host, driver, isShared }, request)
    await end(stray, request, remove)
  }
}

/** The run's own instances on a host, without those that were kept on purpose; true for those on a shared machine. */
async function leftOn(
  driver: Driver,
  { run }: ReclaimRequest,
  signal: AbortSignal,
): Promise<Map<string, boolean>> {
  const leftovers = (await driver.leftovers?.(signal)) ?? []
  return new Map(
    leftovers.filter(left => left.run === run && !left.kept).map(({ name, shared }) => [name, shared]),
  )
}

/** One that the journal has no beginning of, or that was an orphan before. */
function otherStray(instance: string, host: string, { plan, left }: ReclaimRequest): Stray[] {
  const environment = plan.environments[(readInstanceName(instance)?.environment ?? 0) - 1]
  const isKnown = left.get(environment?.id ?? '')?.instances.some(({ id }) => id === instance) ?? false
  return environment === undefined ? [] : [{ environment, pairing: environment, instance, host, isKnown }]
}

/** Removes one, and says what became of it. `remove` is `null` for what is gone already. */
async function end(
  stray: Stray,
  request: ReclaimRequest,
  remove: (() => Promise<void>) | null,
): Promise<void> {
  const { environment, instance, host, isKnown } = stray
  if (!isKnown) {
    const attempt = readInstanceName(instance)?.number ?? 0
    request.emit({ type: 'instance-started', environment: environment.id, instance, host, attempt })
  }
  try {
    await remove?.()
    request.emit(endOf(stray, remove === null ? [] : ['remove'], null))
  } catch (error) {
    request.emit(endOf(stray, [], `remove: ${messageOf(error)}`))
    request.signal.throwIfAborted()
  }
}

async function removeFromHost(
  { environment, pairing, instance }: Stray,
  { host, driver, isShared }: { readonly host: Host; readonly driver: Driver; readonly isShared: boolean },
  request: ReclaimRequest,
): Promise<void> {
  const remove = async (signal: AbortSignal): Promise<void> => driver.clean?.(instance, signal)
  if (!isShared) {
    await bounded(request, host.id, remove)
    return
  }
  const place = placeOf(pairing, host, request)
  // Others may use the machine by now.
  const held = await request.leases.hold({
    ...place,
    signal: request.signal,
    onWait: (machine, owner) =>
      request.emit({
        type: 'lease-awaited',
        environment: environment.id,
        instance,
        machine,
        owner,
        limitMs: request.plan.limits.leaseWait,
      }),
  })
  try {
    await bounded(request, host.id, remove)
  } finally {
    held.leave()
  }
}

/** A guest that somebody else runs has a folder of the instance; its processes are ended before the next one. */
async function removeFromGuest(
  { pairing, instance }: Stray,
  host: Host | undefined,
  request: ReclaimRequest,
): Promise<void> {
  const { limits } = request.plan
  const place = placeOf(pairing, host, request)
  if (request.isNew(place)) {
    return
  }
  if (place.guest.shell !== 'posix') {
    throw new InfraError(`its files may be left on ${place.guest.id}, which has no POSIX shell`, {
      cause: 'guest',
      where: place.guest.id,
      code: 'command',
    })
  }
  const machine = machineOf(place, limits)
  try {
    await bounded(request, place.guest.id, async signal => {
      const options = { signal, limitMs: limits.command }
      await guestLeftovers(() => machine.shell(signal), options).remove(instance)
    })
  } finally {
    await machine.close()
  }
}

function bounded<T>(
  { plan, signal }: ReclaimRequest,
  where: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withDeadline({ name: 'undo', ms: plan.limits.undo, where, cause: 'host', signal }, work)
}

function placeOf(
  { guest: { id }, configuration: { name } }: Stray['pairing'],
  host: Host | undefined,
  { lab, driverOf }: ReclaimRequest,
): LeasedPlace {
  const guest = lab.guests.get(id)
  const placement = guest?.on.find(on => on.host === host?.id && on.configuration.name === name)
  if (host === undefined || guest === undefined || placement === undefined) {
    throw new InfraError('its host or its guest is not in the lab any more', {
      cause: 'runner',
      where: id,
      code: 'driver',
    })
  }
  return { host, guest, placement, driver: driverOf(host) }
}

function endOf({ environment, instance }: Stray, undone: readonly string[], orphan: string | null) {
  return {
    type: 'instance-ended',
    environment: environment.id,
    instance,
    undone,
    orphan,
    kept: false,
    evidence: [],
  } as const
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
