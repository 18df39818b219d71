import { InfraError } from '../config/errors.js'
import type { Driver, GuestRequest, PreparedGuest } from './driver.js'

/** Guests that run already and that nobody starts or stops: any SSH machine. */
export function createStaticDriver(): Driver {
  return {
    name: 'static',
    abilities: () => new Set(),
    facts: async () => ({}),
    prepare: async request => prepareStatic(request),
    close: async () => {},
  }
}

function prepareStatic({ guest, placement }: GuestRequest): PreparedGuest {
  const { endpoint } = placement
  if (endpoint === undefined) {
    throw new InfraError(`guest ${guest.id} on ${placement.host} has no address`, {
      cause: 'runner',
      where: guest.id,
      code: 'driver',
    })
  }
  return {
    keepHint: `ssh -p ${endpoint.port} ${guest.login.user}@${endpoint.host}`,
    start: async () => ({
      access: async () => ({ endpoint }),
      gone: new AbortController().signal,
      facts: {},
      stop: async () => {},
    }),
    remove: async () => {},
  }
}
