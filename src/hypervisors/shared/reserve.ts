import { InfraError } from '../../config/errors.js'
import type { GuestRequest } from '../driver.js'
import type { VmBackend } from '../managed-vm/backend.js'

/**
 * A VM that serves itself serves one instance at a time; one that another instance uses is not ours to end. `inUse` says
 * which instance uses each VM, for all of one host.
 */
export function reserving(
  backend: VmBackend,
  { instance, placement }: GuestRequest,
  inUse: Map<string, string>,
): VmBackend {
  const { vm = '', clean } = placement
  if (clean.kind === 'overlay' || clean.kind === 'copy') {
    return backend
  }
  return {
    ...backend,
    // It may be on another host by then, with limits of its own.
    get limits() {
      return backend.limits
    },
    get keepHint() {
      return backend.keepHint
    },
    prepare: async signal => {
      const other = inUse.get(vm)
      if (other !== undefined && other !== instance) {
        throw new InfraError(`${instance}: the VM ${vm} is in use by ${other}`, {
          cause: 'runner',
          where: instance,
          code: 'capacity',
        })
      }
      inUse.set(vm, instance)
      await backend.prepare(signal)
    },
    remove: async signal => {
      if (inUse.get(vm) === instance) {
        await backend.remove(signal)
        inUse.delete(vm)
      }
    },
  }
}
