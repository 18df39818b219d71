import type { Limits } from '../config/limits.js'
import type { Endpoint, Guest, Placement } from '../config/model.js'
import { type ConnectTarget, connectToAny, type Machine, type RetryOptions } from '../remote/index.js'
import type { Access, RunningGuest } from './driver.js'

const sshPort = 22

/** The address that the lab says, or those that were looked up. */
export function accessAt(fixed: Endpoint | undefined, addresses: readonly string[]): Access {
  const [first = '', ...others] = addresses
  const at = (host: string): Endpoint => ({ host, port: sshPort, jumps: [] })
  return fixed === undefined
    ? { endpoint: at(first), others: others.map(at), mayMove: true }
    : { endpoint: fixed }
}

/** How a guest that runs is reached. */
export interface ReachOptions {
  readonly limits: Limits
  readonly signal: AbortSignal
  readonly options: RetryOptions
  /** What of the limit "boot" is left; all of it if absent. */
  readonly bootLeftMs?: number
  /** Called before every round of tries with the addresses that are known by then. */
  readonly onAddresses?: (where: readonly string[]) => void
  /** The guest's host and configuration, and the instance where it is a clone: what `accept-new` pins its key under. */
  readonly pinnedAs: { readonly name: string; readonly isInstance: boolean }
}

/** Connects to a guest that runs, at any of its addresses, until its limit "boot" is reached. Throws InfraError. */
export function connectToGuest(
  guest: Guest,
  running: RunningGuest,
  { limits, signal, options, bootLeftMs, onAddresses, pinnedAs }: ReachOptions,
): Promise<Machine> {
  let mayMove = false
  return connectToAny(
    {
      label: guest.id,
      limits,
      signal,
      ...(bootLeftMs === undefined ? {} : { bootLeftMs }),
      get mayMove() {
        return mayMove
      },
      find: async until => {
        const access = await running.access(until)
        mayMove = access.mayMove === true
        const targets = targetsOf(guest, access, { limits, signal: until, pinnedAs })
        onAddresses?.(targets.map(({ endpoint: { host, port } }) => `${host}:${port}`))
        return targets
      },
    },
    options,
  )
}

/** What a guest's key is pinned under: an instance that was cloned may have made its own. */
export function pinNameOf(guest: Guest, placement: Placement, instance: string): ReachOptions['pinnedAs'] {
  const isInstance = placement.clean.kind === 'overlay' || placement.clean.kind === 'copy'
  const name = [guest.id, placement.host, placement.configuration.name]
    .map(part => part.replace(/[^A-Za-z0-9._-]/g, '_'))
    .join('/')
  return { name: isInstance ? instance : name, isInstance }
}

/** One target for each address. */
export function targetsOf(
  { id, login }: Guest,
  { endpoint, others = [], keyPath, hostKey, via, mayMove = false }: Access,
  { limits, signal, pinnedAs }: Pick<ReachOptions, 'limits' | 'signal' | 'pinnedAs'>,
): ConnectTarget[] {
  const image = {
    ...(keyPath === undefined ? {} : { keyPath }),
    ...(hostKey === undefined ? {} : { hostKey }),
  }
  return [endpoint, ...others].map(one => ({
    label: `${id} (${one.host}:${one.port})`,
    endpoint: one,
    login,
    limits,
    image,
    pinned: { ...pinnedAs, mayMove: mayMove || pinnedAs.isInstance },
    ...(via === undefined ? {} : { via }),
    signal,
  }))
}
