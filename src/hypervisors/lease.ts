import { randomBytes } from 'node:crypto'
import { InfraError } from '../config/errors.js'
import type { Limits } from '../config/limits.js'
import type { Endpoint, Guest, Host, Placement } from '../config/model.js'
import { machineName } from '../config/this-machine.js'
import {
  anyOf,
  connectWithRetries,
  describeOwner,
  type HostShell,
  isShared,
  type Lease,
  type Machine,
  takeLease,
} from '../remote/index.js'
import type { Driver } from './driver.js'
import { pinNameOf } from './reach.js'
import { HostConnection } from './shared/connection.js'

/** Where on a machine its lease stands: a host's and a guest's are not the same, though the machine may be. */
export const leaseFolders = {
  host: '/var/tmp/guestcert-host.lease',
  guest: '/var/tmp/guestcert-guest.lease',
} as const

/** What an instance needs to be alone on. */
export interface LeasedPlace {
  readonly host: Host
  readonly guest: Guest
  readonly placement: Placement
  readonly driver: Driver
}

export interface LeaseWaiting extends LeasedPlace {
  readonly signal: AbortSignal
  readonly onWait: (machine: string, owner: string) => void
  /** Called with what a guest's machine was seen to answer, as long as it cannot be reached. */
  readonly onTrouble?: (what: string) => void
}

/** A machine that is ours. */
export interface Held {
  readonly machine: string
  /** The fencing token; `null` where there is no lease: on a guest without a POSIX shell that runs already. */
  readonly token: number | null
  /** True when it is the guest's own machine. */
  readonly isGuest: boolean
  /** Aborts when somebody else has taken the machine over. */
  readonly lost: AbortSignal
  /** True while nobody can have taken the machine over, by what is known here without asking it. */
  isCertain(): boolean
  /** Resolves when the machine says that it is ours still. Throws InfraError. */
  confirm(shell: HostShell | null, signal: AbortSignal): Promise<void>
  /**
   * The connection over which the lease of a guest's own machine was taken, for the tests on it; `null` when it is lost
   * or in use, and where the lease is another machine's. Closing it gives it back.
   */
  lend(mark: string): Machine | null
  /** Says that the instance is gone. The run keeps the machine, unless it waits for another one. */
  leave(): void
}

/** The leases of one run. */
export interface Leases {
  /** Takes a machine's lease, or shares the one that the run has; waits while somebody else has it. */
  hold(waiting: LeaseWaiting): Promise<Held>
  /** Gives all of them back. */
  close(): Promise<void>
}

export interface LeasesOptions {
  /** Who runs this, for people. */
  readonly who: string
  readonly run: string
  readonly limits: Limits
  /** Where leases stand, for tests. */
  readonly folders?: { readonly host: string; readonly guest: string }
}

interface Taken {
  readonly lease: Lease
  readonly machine: LeasedMachine
  /** Instances that are on it now. */
  users: number
}

/** A host, or a guest that runs already. */
interface LeasedMachine {
  readonly name: string
  readonly isGuest: boolean
  readonly shell: (signal: AbortSignal) => Promise<HostShell>
  readonly lend: Held['lend']
  close(): Promise<void>
}

/** A guest that cannot keep a lease has no host to blame for it. */
function asGuests(error: unknown): unknown {
  return error instanceof InfraError && error.context.code === 'lease' && error.context.cause === 'host'
    ? new InfraError(error.message, { ...error.context, cause: 'guest' }, { cause: error })
    : error
}

/**
 * Opens the leases of a run: one a machine, from its first instance to the run's end, so that whoever shares the machine
 * waits for the run and not for its guests. But while the run itself waits for a machine it gives back those that it
 * does not use: two runs, each with what the other one wants, would else wait for one another. A machine whose
 * lease was lost is used no more by this run.
 */
export function openLeases({ who, run, limits, folders = leaseFolders }: LeasesOptions): Leases {
  const taken = new Map<string, Taken>()
  const turns = new Map<string, Promise<unknown>>()
  let waits = 0
  const common = { id: `${run}-${randomBytes(4).toString('hex')}`, who, run, from: machineName(), limits }

  async function take(key: string, waiting: LeaseWaiting): Promise<Taken> {
    waiting.signal.throwIfAborted()
    const known = taken.get(key)
    if (known !== undefined) {
      // A run that somebody had reason to think dead keeps off for good.
      known.lease.lost.throwIfAborted()
      return known
    }
    const machine = machineOf(waiting, limits, waiting.onTrouble)
    const { name, isGuest, shell } = machine
    let isWaiting = false
    try {
      const lease = await takeLease({
        ...common,
        label: name,
        folder: isGuest ? folders.guest : folders.host,
        shell,
        signal: waiting.signal,
        onWait: owner => {
          waits += isWaiting ? 0 : 1
          isWaiting = true
          giveBackIdle()
          waiting.onWait(name, describeOwner(owner))
        },
      })
      const now = { lease, machine, users: 0 }
      taken.set(key, now)
      return now
    } catch (error) {
      await machine.close()
      throw isGuest ? asGuests(error) : error
    } finally {
      waits -= isWaiting ? 1 : 0
    }
  }

  function giveBackIdle(): void {
    for (const [key, { lease, machine, users }] of taken) {
      if (users === 0 && !lease.lost.aborted) {
        taken.delete(key)
        // Whoever wants it again in this run takes it anew, after this.
        turns.set(
          key,
          Promise.resolve(turns.get(key)).then(() => endLease({ lease, machine })),
        )
      }
    }
  }

  return {
    hold: async waiting => {
      const key = keyOf(waiting)
      if (key === null) {
        return nothingHeld
      }
      const turn = (turns.get(key) ?? Promise.resolve()).then(async () => {
        const now = await take(key, waiting)
        now.users += 1
        return now
      })
      turns.set(
        key,
        turn.catch(() => {}),
      )
      const now = await turn
      const { lease, machine } = now
      let isLeft = false
      return {
        machine: machine.name,
        token: lease.generation,
        isGuest: machine.isGuest,
        lost: lease.lost,
        isCertain: () => lease.isCertain(),
        confirm: (shell, signal) => lease.confirm(machine.isGuest ? shell : null, signal),
        lend: mark => machine.lend(mark),
        leave: () => {
          now.users -= isLeft ? 0 : 1
          isLeft = true
          if (waits > 0) {
            giveBackIdle()
          }
        },
      }
    },
    close: async () => {
      await Promise.all([...turns.values()])
      await Promise.all([...taken.values()].map(endLease))
      taken.clear()
    },
  }
}

async function endLease({ lease, machine }: Pick<Taken, 'lease' | 'machine'>): Promise<void> {
  await lease.release()
  await machine.close()
}

/** What stands for a machine that needs no lease. */
export const nothingHeld: Held = {
  machine: '',
  token: null,
  isGuest: false,
  lost: new AbortController().signal,
  isCertain: () => true,
  confirm: async () => {},
  lend: () => null,
  leave: () => {},
}

/** Whether an instance is a machine of its own there, and no VM that whoever comes next uses too. */
export function isOwnMachine({ host, placement }: LeasedPlace): boolean {
  const { kind } = placement.clean
  return host.driver.ownMachines || kind === 'overlay' || kind === 'copy'
}

/** By what a machine is known in a run; `null` when it has no lease. */
export function keyOf({ host, guest, placement, driver }: LeasedPlace): string | null {
  if (driver.shell !== undefined && host.emulated !== undefined) {
    return `emulated host ${host.id}`
  }
  if (driver.shell !== undefined && host.api !== undefined) {
    return `host ${host.api.host ?? ''} by ${host.api.url}`
  }
  if (driver.shell !== undefined) {
    return host.connect === undefined ? 'host here' : `host ${placeOf(host.connect.endpoint)}`
  }
  // A lease is kept with the words of a POSIX shell.
  const access = guest.shell === 'posix' ? driver.reach?.({ guest, placement }) : undefined
  return access === undefined ? null : `guest ${placeOf(access.endpoint)}`
}

function placeOf({ host, port, jumps }: Endpoint): string {
  return [...jumps, `${host}:${port}`].join(' ')
}

/** The machine that has the lease, and a shell on it. */
export function machineOf(
  { host, guest, placement, driver }: LeasedPlace,
  limits: Limits,
  onTrouble: (what: string) => void = () => {},
): LeasedMachine {
  if (driver.shell !== undefined) {
    const open = driver.shell.bind(driver)
    return { name: host.id, isGuest: false, shell: open, lend: () => null, close: async () => {} }
  }
  const access = driver.reach?.({ guest, placement })
  const connection = new HostConnection(guest.id, async signal => {
    if (access === undefined) {
      throw new InfraError(`guest ${guest.id} on ${host.id} has no address`, {
        cause: 'runner',
        where: guest.id,
        code: 'driver',
      })
    }
    const { endpoint, gone } = access
    const label = `${guest.id} (${endpoint.host}:${endpoint.port})`
    const ends = gone === undefined ? { signal, clear: () => {} } : anyOf(signal, gone)
    // The tests run over it too: the guest's key is the one that they would pin.
    const pinned = { ...pinNameOf(guest, placement, guest.id), mayMove: access.mayMove === true }
    const target = { label, endpoint, login: guest.login, limits, image: access, pinned, signal: ends.signal }
    const options = { onRetry: ({ message }: Error) => onTrouble(message), refusalsMs: limits.login }
    return connectWithRetries(target, options).finally(ends.clear)
  })
  return {
    name: guest.id,
    isGuest: true,
    shell: async signal => besideTests(await connection.machine(signal)),
    lend: mark => {
      const { current } = connection
      return current !== null && isShared(current) ? current.lend(mark) : null
    },
    close: () => connection.close(),
  }
}

/** A lease is renewed whatever the tests that share its connection do. */
function besideTests(machine: Machine): HostShell {
  return isShared(machine)
    ? { label: machine.label, run: (command, options) => machine.runBeside(command, options) }
    : machine
}
