import type { Trouble, TroubleKind } from '../trouble.js'
import type { VmState } from '../vm.js'
import type { Generation } from './generation.js'

/** What libvirt puts before the messages of an error code (virErrorMsg of src/util/virerror.c). */
const prefixes: Readonly<Record<TroubleKind, string>> = {
  'no-domain': 'Domain not found: ',
  'no-snapshot': 'Domain snapshot not found: ',
  invalid: 'Requested operation is not valid: ',
  internal: 'internal error: ',
  failed: 'operation failed: ',
  unsupported: 'this function is not supported by the connection driver: ',
  argument: 'invalid argument: ',
  config: 'unsupported configuration: ',
  operation: 'Operation not supported: ',
  unsafe: 'Unsafe migration: ',
  xml: 'XML error: ',
  system: '',
}

/** The message of a trouble, as libvirt words it. */
export function messageOf(trouble: Trouble, generation: Generation): string {
  // Before 0.9 the code's text stood before a blank; the "(maybe misspelled)" of 0.8 is left to what uses it.
  if (trouble.kind === 'internal' && !generation.has('0.9.0')) return `internal error ${trouble.message}`
  if (trouble.kind === 'no-snapshot' && !generation.has('0.9.0')) {
    return `invalid domain snapshot: ${trouble.message}`
  }
  if (trouble.kind === 'argument' && !generation.has('0.9.10')) {
    return `invalid argument in ${trouble.message}`
  }
  return `${prefixes[trouble.kind]}${trouble.message}`
}

/** A domain's state, as that generation calls it on that hypervisor. */
export function stateWord(state: VmState, generation: Generation, isXen: boolean): string {
  if (state === 'running' && isXen && !generation.has('0.9.0')) {
    // Xen's oldest driver hands on what the scheduler says: a guest that waits is blocked.
    return generation.has('0.8.0') ? 'idle' : 'blocked'
  }
  return state
}
