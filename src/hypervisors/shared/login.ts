import { InfraError } from '../../config/errors.js'
import type { Host } from '../../config/model.js'
import { connect, type Machine, quote } from '../../remote/index.js'
import { connectionLimits, type HostLimits } from '../limit.js'

/** How a host is reached over SSH. */
type Login = NonNullable<Host['connect']>

/** What is known of a host to which its driver logs in. */
export type LoginHost = Pick<Host, 'id' | 'connect'>

/** How a host is reached. Throws InfraError where the lab does not say it. */
export function loginOf({ id, connect: login }: LoginHost, driver: string): Login {
  if (login === undefined) {
    throw new InfraError(`${id}: the driver ${driver} needs "connect": how to reach the host over SSH`, {
      cause: 'runner',
      where: id,
      code: 'driver',
    })
  }
  return login
}

/** Connects to a host as the lab says; with the keys of its image where it was booted from one. */
export async function connectToHost(
  host: LoginHost,
  {
    driver,
    limits,
    signal,
    image,
  }: {
    readonly driver: string
    readonly limits: HostLimits
    readonly signal: AbortSignal
    readonly image?: { readonly keyPath: string; readonly hostKey: string }
  },
): Promise<Machine> {
  const { endpoint, login } = loginOf(host, driver)
  const keys = image === undefined ? {} : { image }
  return await connect({
    endpoint,
    login,
    label: host.id,
    limits: connectionLimits(limits),
    signal,
    ...keys,
  })
}

/** What a person types to log in to a host. */
export function loginLine({ id, connect: reached }: LoginHost): string {
  const { login, endpoint } = reached ?? {}
  return `ssh -p ${endpoint?.port ?? 22} ${quote(`${login?.user ?? 'root'}@${endpoint?.host ?? id}`)}`
}
