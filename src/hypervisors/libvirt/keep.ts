import type { Guest, Host, Placement } from '../../config/model.js'
import { quote } from '../../remote/index.js'

/** What a hint is made of. */
export interface KeepRequest {
  readonly placement: Placement
  readonly guest: Guest
  readonly connect: Host['connect']
  readonly uri: string
  readonly domain: string
}

/** What a person types to get into an instance: SSH where its address is known, else its console. */
export function keepHint({ placement, guest, connect, uri, domain }: KeepRequest): string {
  const { endpoint, viaHost } = placement
  const host = connect && `${connect.login.user}@${connect.endpoint.host}`
  if (endpoint !== undefined) {
    const jump = viaHost && connect && host ? `-J ${quote(host)}:${connect.endpoint.port} ` : ''
    return `ssh ${jump}-p ${endpoint.port} ${quote(`${guest.login.user}@${endpoint.host}`)}`
  }
  const console = `virsh -c ${uri} console ${quote(domain)}`
  return connect === undefined || host === undefined
    ? console
    : `ssh -t -p ${connect.endpoint.port} ${quote(host)} ${quote(console)}`
}
