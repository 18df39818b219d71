import { InfraError } from '../../config/errors.js'
import { runnerName } from '../shared/claims.js'
import { readObject } from './api/properties.js'
import type { Snapshot } from './snapshots.js'
import { type Reference, referenceOf } from './soap/element.js'
import type { Call } from './soap/session.js'
import { optionalReference, reference, tag } from './soap/write.js'
import type { Vm } from './vm.js'

export interface CloneRequest {
  readonly vm: Vm
  /** The machine that is cloned. */
  readonly from: Reference
  readonly snapshot: Snapshot
  /** Its disks lie on those of the snapshot, instead of being copied. */
  readonly isLinked: boolean
}

/**
 * The call that clones a machine from one of its snapshots, under the instance's name, beside the one that it is cloned
 * from. Its guest gets serial numbers of its disks to see.
 */
export async function cloneCall(
  { vm, from, snapshot, isLinked }: CloneRequest,
  signal: AbortSignal,
): Promise<Omit<Call, 'changes'>> {
  const { host, instance } = vm
  const options = vm.options(signal)
  const { isVcenter } = await host.site.session.content(options)
  if (!isVcenter) {
    const why =
      'an ESXi host by itself cannot clone: connect to its vCenter, or use "clean: { snapshot: NAME }"'
    throw new InfraError(`${instance}: ${why}`, { cause: 'host', where: instance, code: 'driver' })
  }
  const read = await readObject(host.site.session, from, ['parent'], options)
  const { self, pool } = await host.here(options)
  const location = tag('location', [
    tag('diskMoveType', isLinked ? 'createNewChildDiskBacking' : 'moveAllDiskBackingsAndConsolidate'),
    reference('pool', pool),
    reference('host', self),
  ])
  const config = tag('config', [
    tag(
      'annotation',
      `guestcert: instance ${instance}, made by ${runnerName()} at ${new Date().toISOString()}`,
    ),
    tag('extraConfig', [tag('key', 'disk.EnableUUID'), tag('value', 'TRUE', 'xsd:string')]),
  ])
  const spec = tag('spec', [
    location,
    tag('template', false),
    config,
    tag('powerOn', false),
    reference('snapshot', snapshot.self),
  ])
  const args = [...optionalReference('folder', referenceOf(read?.at('parent'))), tag('name', instance), spec]
  return { self: from, method: 'CloneVM_Task', args }
}

/** What identifies a clean state, as facts of the guest: there is no file that could be read. */
export async function cleanFacts(
  vm: Vm,
  machine: Reference,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const read = await readObject(vm.host.site.session, machine, ['config.instanceUuid'], vm.options(signal))
  return {
    'clean snapshot': `${snapshot.name}, made ${snapshot.madeAt}`,
    'clean machine': read?.text('config.instanceUuid') ?? machine.value,
  }
}
