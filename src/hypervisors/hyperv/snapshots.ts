import { untilHolds } from '../limit.js'
import { sent, type VmCommands } from '../managed-vm/backend.js'
import { hostError, refused } from '../shared/host-commands.js'
import { driveOf, snapshotOf } from './output.js'
import { askVm, callOf, type HyperVPlace, hyperVVm, lookAt, turnOff } from './vm.js'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Checkpoints of an instance's own machine, with memory. */
export function createSnapshots(
  place: HyperVPlace,
): Required<Pick<VmCommands, 'snapshot' | 'revert' | 'deleteSnapshot'>> {
  return {
    snapshot: async (name, signal) => {
      if (!namePattern.test(name)) {
        throw refused(
          place.instance,
          `"${name}" is not a valid snapshot name: use letters, digits, ".", "_" and "-"`,
        )
      }
      await removeSnapshot(place, name, signal)
      await askVm(place, 'checkpoint', [name], callOf(place, signal, 'snapshot'))
      if (!(await namesOf(place, signal)).has(name)) {
        throw hostError(
          place.instance,
          `${place.instance} on ${place.host.id}: no checkpoint ${name} was made`,
        )
      }
      return sent()
    },
    revert: async (name, signal) => {
      await revertTo(place, name, signal)
      return hyperVVm(place).start(signal)
    },
    deleteSnapshot: async (name, signal) => {
      await removeSnapshot(place, name, signal)
      return sent()
    },
  }
}

/** Goes back to a checkpoint; how the machine is then depends on what it was made of. */
export async function revertTo(place: HyperVPlace, name: string, signal: AbortSignal): Promise<void> {
  const names = await namesOf(place, signal)
  const id = names.get(name)
  if (id === undefined) {
    throw refused(
      place.instance,
      `there is no snapshot "${name}": there are ${[...names.keys()].join(', ') || 'none'}`,
    )
  }
  await turnOff(place, signal)
  await askVm(place, 'restore', [id], callOf(place, signal, 'snapshot'))
  // One that was gone back to is there still.
  if ((await namesOf(place, signal)).get(name) !== id) {
    throw hostError(place.instance, `${place.instance} on ${place.host.id}: the checkpoint ${name} is gone`)
  }
}

/** The checkpoints of a machine: identifiers by name, the newest of each. */
export async function namesOf(place: HyperVPlace, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const looked = await lookAt(place, callOf(place, signal))
  return new Map((looked?.snapshots ?? []).map(snapshotOf).map(({ id, name }) => [name, id]))
}

/** Deletes a checkpoint, if it is there, and waits until its disks are merged: until then a start may be refused. */
async function removeSnapshot(place: HyperVPlace, name: string, signal: AbortSignal): Promise<void> {
  const id = (await namesOf(place, signal)).get(name)
  if (id === undefined) {
    return
  }
  await askVm(place, 'removeSnapshot', [id], callOf(place, signal, 'snapshot'))
  const { isScripted, limits } = place.host
  const { snapshot: limit, lookEvery } = limits
  const isMerged = async (): Promise<boolean> => {
    const looked = await lookAt(place, callOf(place, signal))
    const { snapshots = [], disks = [] } = looked ?? {}
    const isDeleted = snapshots.every(one => snapshotOf(one).id !== id)
    const paths = disks.map(disk => driveOf(disk).path.toLowerCase())
    // Hosts of 2008 merge while the machine is off, and not before.
    return isDeleted && (isScripted || snapshots.length > 0 || paths.every(path => !/\.avhdx?$/.test(path)))
  }
  if (!(await untilHolds(isMerged, { limit, everyMs: lookEvery.ms, signal }))) {
    const late = `the disks of the checkpoint ${name} were not merged within ${limit.name} (${limit.ms} ms)`
    throw hostError(place.instance, `${place.instance} on ${place.host.id}: ${late}`)
  }
}
