import { InfraError } from '../../config/errors.js'
import type { Access, Driver, GuestRequest, PreparedGuest } from '../driver.js'

/** How to reach a guest that somebody else runs, and a signal that aborts when he does no more. */
export interface FoundAccess extends Access {
  readonly gone?: AbortSignal
}

/** Finds how to reach a guest that the lab file gives no address: an emulated one. */
export type FindAccess = (request: GuestRequest) => FoundAccess | undefined

/** Guests that run already and that nobody starts or stops: any SSH machine. */
export function createStaticDriver(findAccess: FindAccess = () => undefined): Driver {
  return {
    name: 'static',
    abilities: () => new Set(),
    facts: async () => ({}),
    prepare: async request => prepareStatic(request, findAccess(request)),
    close: async () => {},
  }
}

function prepareStatic({ guest, placement }: GuestRequest, found: FoundAccess | undefined): PreparedGuest {
  const access: FoundAccess | undefined =
    placement.endpoint === undefined ? found : { endpoint: placement.endpoint }
  if (access === undefined) {
    throw new InfraError(`guest ${guest.id} on ${placement.host} has no address`, {
      cause: 'runner',
      where: guest.id,
      code: 'driver',
    })
  }
  const { host, port } = access.endpoint
  return {
    keepHint: `ssh -p ${port} ${guest.login.user}@${host}`,
    start: async () => ({
      access: async () => access,
      gone: access.gone ?? new AbortController().signal,
      facts: {},
      stop: async () => {},
    }),
    remove: async () => {},
  }
}
