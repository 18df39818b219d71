import { InfraError } from '../../config/errors.js'
import type { Sent } from '../managed-vm/backend.js'
import { readObject } from './api/properties.js'
import { isSame, referenceOf } from './soap/element.js'
import { reference, tag } from './soap/write.js'
import type { Vm, VsphereHost } from './vm.js'

/** Moves a machine that runs to the other one of two hosts of its site (vMotion). Its disks stay where they are. */
export async function moveTo(
  vm: Vm,
  second: VsphereHost | undefined,
  signal: AbortSignal,
): Promise<Sent<void>> {
  const { host } = vm
  const options = vm.options(signal)
  if (second === undefined) {
    throw new InfraError(`${vm.instance}: the lab names no host that it may move to`, {
      cause: 'runner',
      where: vm.instance,
      code: 'driver',
    })
  }
  const [first, other] = [await host.here(options), await second.here(options)]
  const read = await readObject(host.site.session, vm.machine, ['runtime.host'], options)
  const to = isSame(referenceOf(read?.at('runtime.host')), other.self) ? first : other
  // Hosts of one cluster share a pool; any other has its own.
  const spec = tag('spec', [reference('pool', to.pool), reference('host', to.self)])
  await vm.finish(vm.call('RelocateVM_Task', [spec]), host.limits.migrate, signal)
  const name = await host.labName(to.self, options)
  const holds = (seen: { readonly host: string }): boolean => seen.host === name
  const shows = { what: `move it to ${name}`, cause: 'host', limit: host.limits.migrate, holds } as const
  return { value: undefined, shows }
}
