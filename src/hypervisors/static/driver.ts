import { InfraError } from '../../config/errors.js'
import type { Driver, FoundAccess, GuestRequest, Instance } from '../driver.js'

/** Finds how to reach a guest that the lab file gives no address: an emulated one. */
export type FindAccess = (request: Pick<GuestRequest, 'guest' | 'placement'>) => FoundAccess | undefined

/** Guests that run already and that nobody starts or stops: any SSH machine. */
export function createStaticDriver(findAccess: FindAccess = () => undefined): Driver {
  const reach: FindAccess = request => {
    const { endpoint } = request.placement
    return endpoint === undefined ? findAccess(request) : { endpoint }
  }
  return {
    name: 'static',
    abilities: () => new Set(),
    facts: async () => ({}),
    instance: request => staticInstance(request, reach(request)),
    reach,
    close: async () => {},
  }
}

function staticInstance({ guest, placement }: GuestRequest, access: FoundAccess | undefined): Instance {
  const found = (): FoundAccess => {
    if (access === undefined) {
      throw new InfraError(`guest ${guest.id} on ${placement.host} has no address`, {
        cause: 'runner',
        where: guest.id,
        code: 'driver',
      })
    }
    return access
  }
  const { host = '', port = 22 } = access?.endpoint ?? {}
  const instance: Instance = {
    keepHint: `ssh -p ${port} ${guest.login.user}@${host}`,
    prepare: async () => {
      found()
      return instance
    },
    start: async () => ({
      access: async () => found(),
      gone: found().gone ?? new AbortController().signal,
      facts: {},
      stop: async () => {},
    }),
    remove: async () => {},
  }
  return instance
}
