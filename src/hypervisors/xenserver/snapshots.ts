import { sent, type VmCommands } from '../managed-vm/backend.js'
import { hostError, read, refused } from '../shared/host-commands.js'
import { askLists, xe } from './host.js'
import { fieldOf, parseUuid, type XeRecord } from './output.js'
import { uninstallSnapshot } from './removal.js'
import { callOf, type VmPlace, xenServerVm } from './vm.js'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** The snapshots of one machine: its own, and those that an instance takes of it with its memory. */
export interface Snapshots extends Required<Pick<VmCommands, 'snapshot' | 'revert' | 'deleteSnapshot'>> {
  /** The UUIDs of all that the machine has. */
  list(signal: AbortSignal): Promise<readonly string[]>
  /** Deletes those of the instance that are not among the found. */
  drop(found: readonly string[], signal: AbortSignal): Promise<void>
}

/** Snapshots are called by the instance's name and their own: by that they are found when their machine is gone. */
export function createSnapshots(place: VmPlace): Snapshots {
  const { host, instance } = place
  const { limits, shell } = host
  const fullName = (name: string): string => `${instance}.${name}`
  const all = (signal: AbortSignal): Promise<XeRecord[]> => snapshotsOf(place, signal)
  const find = async (name: string, signal: AbortSignal): Promise<readonly string[]> =>
    (await all(signal))
      .filter(record => fieldOf(record, 'name-label') === fullName(name))
      .map(record => fieldOf(record, 'uuid'))
  const remove = async (uuid: string, signal: AbortSignal): Promise<void> => {
    await uninstallSnapshot(host, uuid, callOf(place, limits.snapshot, signal))
  }

  return {
    list: async signal => (await all(signal)).map(record => fieldOf(record, 'uuid')),
    drop: async (found, signal) => {
      for (const record of await all(signal)) {
        const uuid = fieldOf(record, 'uuid')
        if (!found.includes(uuid) && fieldOf(record, 'name-label').startsWith(`${instance}.`)) {
          await remove(uuid, signal)
        }
      }
    },
    snapshot: async (name, signal) => {
      if (!namePattern.test(name)) {
        throw refused(
          instance,
          `"${name}" is not a valid snapshot name: use letters, digits, ".", "_" and "-"`,
        )
      }
      const before = await find(name, signal)
      const words = [`uuid=${place.uuid}`, `new-name-label=${fullName(name)}`]
      const said = await shell.demand(xe('vm-checkpoint', ...words), callOf(place, limits.snapshot, signal))
      read(parseUuid, said, host.id)
      for (const uuid of before) {
        await remove(uuid, signal)
      }
      return sent()
    },
    revert: async (name, signal) => {
      const [uuid] = await find(name, signal)
      if (uuid === undefined) {
        throw refused(instance, `there is no snapshot "${name}"`)
      }
      await revertTo(place, uuid, signal)
      return xenServerVm(place).start(signal)
    },
    deleteSnapshot: async (name, signal) => {
      for (const uuid of await find(name, signal)) {
        await remove(uuid, signal)
      }
      const left = await find(name, signal)
      if (left.length > 0) {
        throw hostError(instance, `${instance} on ${host.id}: the snapshot ${left[0]} is still there`)
      }
      return sent()
    },
  }
}

/** A machine's snapshots, with their names. */
export async function snapshotsOf(place: VmPlace, signal: AbortSignal): Promise<XeRecord[]> {
  const { host, uuid } = place
  const words = [`snapshot-of=${uuid}`, 'params=uuid,name-label']
  const call = callOf(place, host.limits.command, signal)
  const [found = []] = await askLists(host, [xe('snapshot-list', ...words)], call)
  return found
}

/** Takes a machine back to a snapshot: it is halted afterwards, or suspended where the snapshot has its memory. */
export async function revertTo(place: VmPlace, snapshot: string, signal: AbortSignal): Promise<void> {
  const { shell, limits } = place.host
  const call = callOf(place, limits.snapshot, signal)
  await shell.demand(xe('snapshot-revert', `snapshot-uuid=${snapshot}`), call)
}
