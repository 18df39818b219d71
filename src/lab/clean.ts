import { InfraError } from '../config/errors.js'
import type { Guest, Host, Lab, Placement } from '../config/model.js'
import type { Driver, Leftover } from '../hypervisors/driver.js'
import { keyOf, type LeasedPlace, leaseFolders, machineOf } from '../hypervisors/lease.js'
import { describeOwner, type HostShell, type LeaseAnswer, lookAtLease, takeLease } from '../remote/index.js'
import { guestLeftovers, sweepGuest } from './clean-guest.js'

/** What became of one thing that was found. */
export interface Cleaned {
  /** The host, or the guest that runs already. */
  readonly machine: string
  readonly name: string
  readonly what: string
  /** Why it stays; `null` when it was removed, or would be. */
  readonly stays: string | null
  /** True when that is trouble: something is left that should not be. */
  readonly failed: boolean
}

export interface CleanRequest {
  readonly lab: Lab
  readonly who: string
  readonly from: string
  readonly driverOf: (host: Host) => Driver
  /** Why a host is not to be touched, or `null`. */
  readonly whyNot: (host: Host) => string | null
  readonly dryRun: boolean
  /** Removes guests, too, that were kept for somebody to look at. */
  readonly kept: boolean
  readonly signal: AbortSignal
  readonly onCleaned: (cleaned: Cleaned) => void
  /** Where leases stand, for tests. */
  readonly folders?: { readonly host: string; readonly guest: string }
}

/** One machine, what may be left on it, and how it is removed. */
interface Place {
  readonly name: string
  readonly folder: string
  readonly shell: (signal: AbortSignal) => Promise<HostShell>
  readonly list: () => Promise<Leftover[]>
  readonly remove: (name: string) => Promise<void>
  /** Ends what dead runs left running, once the machine is ours; says how much that was. */
  readonly sweep: () => Promise<number>
  readonly close: () => Promise<void>
}

/**
 * Removes what dead runs left on a lab's hosts and its guests that run already. Whose run has the machine's
 * lease keeps what is his; whoever has none is dead. Machine by machine: trouble with one holds up no other.
 */
export async function cleanLab(request: CleanRequest): Promise<void> {
  const done = new Set<string>()
  for (const guest of request.lab.guests.values()) {
    for (const placement of guest.on) {
      // A guest whose runner died may have been moved before.
      for (const id of [placement.host, placement.migratesTo]) {
        const host = request.lab.hosts.get(id ?? '')
        if (host !== undefined) {
          await cleanPlacement(request, host, guest, placement, done)
        }
      }
    }
  }
}

async function cleanPlacement(
  request: CleanRequest,
  host: Host,
  guest: Guest,
  placement: Placement,
  done: Set<string>,
): Promise<void> {
  const tell = (machine: string, stays: string, failed: boolean): void =>
    request.onCleaned({ machine, name: '', what: '', stays, failed })
  try {
    const leased = { host, guest, placement, driver: request.driverOf(host) }
    // Nothing of an emulated lab outlives it.
    const isEmulated = guest.emulated !== undefined || host.emulated !== undefined
    const key = isEmulated ? null : keyOf(leased)
    const isKnown = done.has(`${host.id} ${key}`)
    done.add(`${host.id} ${key}`)
    if (key === null || isKnown) {
      const hasNoLease = key === null && !isEmulated
      if (hasNoLease && !isKnown) {
        tell(guest.id, 'not looked at: without a POSIX shell it has no lease', false)
      }
      return
    }
    const why = request.whyNot(host)
    if (why !== null) {
      tell(host.id, why, false)
      return
    }
    const place = placeOf(leased, request)
    try {
      await cleanPlace(place, request)
    } finally {
      await place.close()
    }
  } catch (error) {
    request.signal.throwIfAborted()
    if (!(error instanceof InfraError)) {
      throw error
    }
    tell(host.id, error.message, true)
  }
}

async function cleanPlace(place: Place, request: CleanRequest): Promise<void> {
  const { lab, signal, dryRun } = request
  // First what is there, then who lives: what a run has made since is not on the list.
  const found = await place.list()
  const state = await lookAtLease(await place.shell(signal), place.folder, lab.limits, signal)
  if (dryRun || state.word === 'held') {
    await cleanEach(place, found, state.word === 'held' ? state : null, request)
    tellLease(place, state, request)
    return
  }
  const lease = await takeLease({
    label: place.name,
    folder: place.folder,
    shell: place.shell,
    id: `clean-${process.pid}-${Date.now()}`,
    who: request.who,
    from: request.from,
    run: 'lab-clean',
    // Longer than it takes to see that a stale one is not renewed any more.
    limits: { ...lab.limits, leaseWait: lab.limits.lease },
    signal,
  })
  try {
    await cleanEach(place, await place.list(), null, request)
    const ended = await place.sweep()
    if (ended > 0) {
      const what = `${ended} process${ended === 1 ? '' : 'es'} of an earlier run`
      request.onCleaned({ machine: place.name, name: 'processes', what, stays: null, failed: false })
    }
    tellLease(place, state, request)
  } finally {
    await lease.release()
  }
}

/** A lease that nobody renews is removed by having been taken over. */
function tellLease(place: Place, state: LeaseAnswer, { onCleaned }: CleanRequest): void {
  if (state.word === 'stale') {
    const what = `of ${describeOwner(state.owner)}; expired`
    onCleaned({ machine: place.name, name: 'lease', what, stays: null, failed: false })
  }
}

async function cleanEach(
  place: Place,
  found: readonly Leftover[],
  living: LeaseAnswer | null,
  { dryRun, kept, signal, onCleaned }: CleanRequest,
): Promise<void> {
  for (const leftover of found) {
    const { name, what } = leftover
    const common = { machine: place.name, name, what }
    const stays = whyStays(leftover, living, kept)
    try {
      if (stays === null && !dryRun) {
        await place.remove(name)
      }
      onCleaned({ ...common, stays, failed: false })
    } catch (error) {
      signal.throwIfAborted()
      onCleaned({ ...common, stays: error instanceof Error ? error.message : String(error), failed: true })
    }
  }
}

function whyStays(leftover: Leftover, living: LeaseAnswer | null, kept: boolean): string | null {
  if (living !== null) {
    const owner = describeOwner(living.owner)
    if (living.owner === null || leftover.run === null || leftover.run === living.owner.run) {
      return `it belongs to a run that lives: ${owner}`
    }
    if (leftover.shared) {
      return `others may use it now: ${owner}`
    }
  }
  return leftover.kept && !kept ? 'it was kept for somebody to look at (--kept removes it)' : null
}

function placeOf(leased: LeasedPlace, { lab, signal, folders = leaseFolders }: CleanRequest): Place {
  const { driver, guest, host } = leased
  const machine = machineOf(leased, lab.limits)
  const { name, isGuest, shell } = machine
  if (!isGuest) {
    return {
      name,
      shell,
      folder: folders.host,
      list: async () => (await driver.leftovers?.(signal)) ?? [],
      remove: async instance => driver.clean?.(instance, signal),
      sweep: async () => 0,
      close: () => machine.close(),
    }
  }
  const options = { signal, limitMs: lab.limits.command }
  return {
    name,
    shell,
    folder: folders.guest,
    ...guestLeftovers(() => shell(signal), options),
    sweep: async () => sweepGuest(await shell(signal), `${lab.name}/${guest.id}/${host.id}`, options),
    close: () => machine.close(),
  }
}
