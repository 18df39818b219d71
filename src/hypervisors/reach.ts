import type { Limits } from '../config/limits.js'
import type { Endpoint, Guest } from '../config/model.js'
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
  /** Called before every round of tries with the addresses that are known by then. */
  readonly onAddresses?: (where: readonly string[]) => void
}

/** Connects to a guest that runs, at any of its addresses, until its limit "boot" is reached. Throws InfraError. */
export function connectToGuest(
  guest: Guest,
  running: RunningGuest,
  { limits, signal, options, onAddresses }: ReachOptions,
): Promise<Machine> {
  let mayMove = false
  return connectToAny(
    {
      label: guest.id,
      limits,
      signal,
      get mayMove() {
        return mayMove
      },
      find: async until => {
        const access = await running.access(until)
        mayMove = access.mayMove === true
        const targets = targetsOf(guest, access, { limits, signal: until })
        onAddresses?.(targets.map(({ endpoint: { host, port } }) => `${host}:${port}`))
        return targets
      },
    },
    options,
  )
}

/** One target for each address. */
export function targetsOf(
  { id, login }: Guest,
  { endpoint, others = [], keyPath, hostKey, via }: Access,
  { limits, signal }: Pick<ReachOptions, 'limits' | 'signal'>,
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
    ...(via === undefined ? {} : { via }),
    signal,
  }))
}
