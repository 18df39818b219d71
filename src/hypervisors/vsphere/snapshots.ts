import { InfraError } from '../../config/errors.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { sent, showing, type VmBackend } from '../managed-vm/backend.js'
import { readObject } from './api/properties.js'
import { childrenOf, type Element, type Reference, referenceOf, textAt } from './soap/element.js'
import { isFault } from './soap/fault.js'
import type { CallOptions, Session } from './soap/session.js'
import { tag } from './soap/write.js'
import type { Vm } from './vm.js'

/** A snapshot of a virtual machine. */
export interface Snapshot {
  readonly self: Reference
  readonly name: string
  /** UTC, by the server's clock. */
  readonly madeAt: string
  /** The state of the machine that it brings back. */
  readonly state: string
}

/** Every snapshot of a machine, parents before their children. */
export async function listSnapshots(
  session: Session,
  machine: Reference,
  options: CallOptions,
): Promise<readonly Snapshot[]> {
  const read = await readObject(session, machine, ['snapshot'], options)
  return childrenOf(read?.at('snapshot'), 'rootSnapshotList').flatMap(withChildren)
}

function withChildren(tree: Element): readonly Snapshot[] {
  const self = referenceOf(childrenOf(tree, 'snapshot')[0])
  const own = self && {
    self,
    name: textAt(tree, 'name') ?? '',
    madeAt: textAt(tree, 'createTime') ?? '',
    state: textAt(tree, 'state') ?? '',
  }
  return [...(own === undefined ? [] : [own]), ...childrenOf(tree, 'childSnapshotList').flatMap(withChildren)]
}

/** The snapshot of that name. Names need not be unique there: throws InfraError unless it is just one. */
export async function findSnapshot(
  session: Session,
  machine: Reference,
  name: string,
  options: CallOptions,
): Promise<Snapshot> {
  const all = await listSnapshots(session, machine, options)
  const [only, ...others] = all.filter(each => each.name === name)
  if (only === undefined || others.length > 0) {
    const known = all.map(each => each.name).join(', ') || 'none'
    const why =
      only === undefined
        ? `there is no snapshot "${name}": it has ${known}`
        : `${others.length + 1} snapshots are called "${name}"`
    throw new InfraError(`${options.where}: ${why}`, { cause: 'host', where: options.where, code: 'driver' })
  }
  return only
}

/** Brings a machine back to a snapshot; with `suppressPowerOn` it does not run afterwards, whatever it did then. */
export async function revertTo(
  vm: Vm,
  snapshot: Reference,
  { suppressPowerOn }: { readonly suppressPowerOn: boolean },
  signal: AbortSignal,
): Promise<void> {
  const args = [tag('suppressPowerOn', suppressPowerOn)]
  await vm.finish({ self: snapshot, method: 'RevertToSnapshot_Task', args }, vm.host.limits.snapshot, signal)
}

type Snapshots = Required<
  Pick<VmBackend, 'snapshot' | 'revert' | 'deleteSnapshot' | 'listSnapshots' | 'dropSnapshots'>
>

/** Snapshots of a virtual machine, with its memory where it runs. */
export function snapshotsOf(vm: Vm, start: VmBackend['start']): Snapshots {
  const { limits, site } = vm.host
  const named = async (name: string, signal: AbortSignal): Promise<readonly Snapshot[]> => {
    const all = await listSnapshots(site.session, vm.machine, vm.options(signal))
    return all.filter(each => each.name === name)
  }
  const remove = async (snapshots: readonly Snapshot[], signal: AbortSignal): Promise<void> => {
    for (const { self } of snapshots) {
      const args = [tag('removeChildren', false)]
      await vm.finish({ self, method: 'RemoveSnapshot_Task', args }, limits.snapshot, signal).catch(gone)
    }
  }
  return {
    snapshot: async (name, signal) => {
      const before = await named(name, signal)
      const { power } = await vm.observe({ devices: false }, signal)
      const args = [tag('name', name), tag('memory', power === 'on'), tag('quiesce', false)]
      await vm.finish(vm.call('CreateSnapshot_Task', args), limits.snapshot, signal)
      await remove(before, signal)
      return sent()
    },
    revert: async (name, signal) => {
      const { self } = await findSnapshot(site.session, vm.machine, name, vm.options(signal))
      await revertTo(vm, self, { suppressPowerOn: false }, signal)
      // One that was taken while it was off leaves it off.
      await awaitSent(vm.observed, start(signal), signal)
      const holds = ({ power }: { readonly power: string }): boolean => power === 'on'
      return showing({ what: `go back to ${name}`, cause: 'host', limit: limits.start, holds })
    },
    deleteSnapshot: async (name, signal) => {
      await remove(await named(name, signal), signal)
      return sent()
    },
    listSnapshots: async signal => {
      const all = await listSnapshots(site.session, vm.machine, vm.options(signal))
      return all.map(({ self }) => self.value)
    },
    dropSnapshots: async (found, signal) => {
      const all = await listSnapshots(site.session, vm.machine, vm.options(signal))
      await remove(
        all.filter(({ self }) => !found.includes(self.value)),
        signal,
      )
    },
  }
}

/** What is gone need not be removed. */
function gone(error: unknown): void {
  if (!isFault(error, 'ManagedObjectNotFound')) {
    throw error
  }
}
