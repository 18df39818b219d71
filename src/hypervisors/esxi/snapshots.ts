import { sent, type VmCommands } from '../managed-vm/backend.js'
import { hostError, refused } from '../shared/host-commands.js'
import { ask, vimCmd } from './host.js'
import { parseSnapshots, type Snapshot } from './output.js'
import { change } from './tasks.js'
import { callOf, esxiVm, type VmPlace } from './vm.js'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** The snapshots of one machine: its own, and those that an instance takes of it with its memory. */
export interface Snapshots extends Required<Pick<VmCommands, 'snapshot' | 'revert' | 'deleteSnapshot'>> {
  /** The ids of all that the machine has. */
  list(signal: AbortSignal): Promise<readonly string[]>
  /** Deletes those of the instance that are not among the found. */
  drop(found: readonly string[], signal: AbortSignal): Promise<void>
}

/** Snapshots are called by the instance's name and their own: by that they are told from those of the lab. */
export function createSnapshots(place: VmPlace): Snapshots {
  const { instance } = place
  const fullName = (name: string): string => `${instance}.${name}`
  const find = async (name: string, signal: AbortSignal): Promise<readonly Snapshot[]> =>
    (await snapshotsOf(place, signal)).filter(snapshot => snapshot.name === fullName(name))
  const remove = async (snapshots: readonly Snapshot[], signal: AbortSignal): Promise<void> => {
    for (const { id, name } of snapshots) {
      const { fault } = await changed(place, ['vmsvc/snapshot.remove', id], signal)
      if ((await snapshotsOf(place, signal)).some(each => each.id === id)) {
        throw notDone(place, `delete the snapshot ${name}`, fault?.text)
      }
    }
  }
  return {
    list: async signal => (await snapshotsOf(place, signal)).map(({ id }) => id),
    drop: async (found, signal) => {
      const all = await snapshotsOf(place, signal)
      const ours = all.filter(({ id, name }) => !found.includes(id) && name.startsWith(`${instance}.`))
      await remove(ours, signal)
    },
    snapshot: async (name, signal) => {
      if (!namePattern.test(name)) {
        throw refused(
          instance,
          `"${name}" is not a valid snapshot name: use letters, digits, ".", "_" and "-"`,
        )
      }
      const { power } = await esxiVm(place).observe({ devices: false }, signal)
      // ESXi takes none of a machine that has not changed since the last one: that one goes first.
      await remove(await find(name, signal), signal)
      const words = [fullName(name), `guestcert: taken by ${instance}`, power === 'on' ? '1' : '0']
      const { fault } = await changed(place, ['vmsvc/snapshot.create', ...words], signal)
      const made = await find(name, signal)
      if (made.length !== 1 || fault !== null) {
        throw notDone(place, `take the snapshot ${name}`, fault?.text)
      }
      return sent()
    },
    revert: async (name, signal) => {
      const [snapshot] = await find(name, signal)
      if (snapshot === undefined) {
        throw refused(instance, `there is no snapshot "${name}"`)
      }
      await revertTo(place, snapshot, { suppressPowerOn: false }, signal)
      return esxiVm(place).start(signal)
    },
    deleteSnapshot: async (name, signal) => {
      await remove(await find(name, signal), signal)
      return sent()
    },
  }
}

/** A machine's snapshots, whatever id it has now. */
export async function snapshotsOf(place: VmPlace, signal: AbortSignal): Promise<Snapshot[]> {
  const seen = await esxiVm(place).observe({ devices: false }, signal)
  if (seen.power === 'absent') {
    return []
  }
  const call = callOf(place, place.host.limits.command, signal)
  return await ask(place.host, vimCmd('vmsvc/snapshot.get', place.vmid), parseSnapshots, call)
}

/** The one snapshot of a machine with a name. Throws InfraError. */
export async function findSnapshot(place: VmPlace, name: string, signal: AbortSignal): Promise<Snapshot> {
  const all = await snapshotsOf(place, signal)
  const [snapshot, ...others] = all.filter(each => each.name === name)
  const { instance, host } = place
  if (snapshot === undefined) {
    const known = all.map(each => each.name).join(', ') || 'none'
    throw hostError(instance, `${instance} on ${host.id}: the VM has no snapshot "${name}": it has ${known}`)
  }
  if (others.length > 0) {
    throw refused(instance, `the VM has ${others.length + 1} snapshots named "${name}": rename all but one`)
  }
  return snapshot
}

/** Takes a machine back to a snapshot; with `suppressPowerOn` it does not run afterwards, whatever it did then. */
export async function revertTo(
  place: VmPlace,
  { id, name }: Snapshot,
  { suppressPowerOn }: { readonly suppressPowerOn: boolean },
  signal: AbortSignal,
): Promise<void> {
  const words = ['vmsvc/snapshot.revert', id, suppressPowerOn ? '1' : '0'] as const
  const { fault } = await changed(place, words, signal)
  if (fault !== null) {
    throw notDone(place, `go back to the snapshot ${name}`, fault.text)
  }
}

/** Changes a machine that was just looked at: its id is the one that it has. */
function changed(
  { host, vmid, instance }: VmPlace,
  [verb, ...words]: readonly [string, ...string[]],
  signal: AbortSignal,
): ReturnType<typeof change> {
  const command = vimCmd(verb, vmid, ...words)
  return change(host, { vmid, command, limit: host.limits.snapshot, where: instance }, signal)
}

function notDone({ instance, host }: VmPlace, what: string, said: string | undefined): Error {
  return hostError(
    instance,
    `${instance} on ${host.id}: the host did not ${what}: ${said ?? 'it says no reason'}`,
  )
}
