/** The states of a domain, under the names that libvirt has for them today. */
export type DomainState =
  | 'no state'
  | 'running'
  | 'idle'
  | 'paused'
  | 'in shutdown'
  | 'shut off'
  | 'crashed'
  | 'pmsuspended'

/** Whether a virtual machine exists in that state, running or not. */
export function isActive(state: DomainState): boolean {
  return state !== 'shut off' && state !== 'crashed'
}
